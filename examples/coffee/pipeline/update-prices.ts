import { runOperation } from 'siphon-otel/pipeline';
import type { Database, PooledDatabase } from './database.ts';
import { markChecked } from './mark-checked.ts';
import { countChanges, type RecordedPrice } from './price-change.ts';
import type { Variant } from './product.ts';
import type { ProductSource } from './product-source.ts';
import { insertPrice } from './write-products.ts';

interface RecordedVariant {
  readonly id: string;
  readonly platformVariantId: string;
  readonly price: string | null;
}

/** B.2: records the prices that have changed, and for all variants the stock and that they were looked at. */
export async function updatePrices(
  database: PooledDatabase,
  source: ProductSource,
  variants: readonly Variant[],
): Promise<RecordedPrice[]> {
  return await runOperation('B.2', { source: source.slug }, async () => {
    const recorded = await database.transaction(async (open) => {
      await markChecked(open, source, variants);
      return await insertChanges(open, source, await recordedVariants(open, source), variants);
    });
    countChanges(source.slug, recorded);
    return recorded;
  });
}

async function recordedVariants(database: Database, source: ProductSource): Promise<Map<string, RecordedVariant>> {
  const rows = await database.query<RecordedVariant>(
    { query_type: 'select', table: 'variants' },
    `select v.id, v.platform_variant_id as "platformVariantId", v.price_current as price
     from variants v join coffees c on c.id = v.coffee_id where c.roaster_id = $1`,
    [source.roasterId],
  );
  return new Map(rows.map((row) => [row.platformVariantId, row]));
}

async function insertChanges(
  database: Database,
  source: ProductSource,
  known: ReadonlyMap<string, RecordedVariant>,
  variants: readonly Variant[],
): Promise<RecordedPrice[]> {
  const recorded: RecordedPrice[] = [];
  for (const variant of variants) {
    // A variant that no full run has seen yet has no coffee to belong to.
    const row = known.get(variant.platformVariantId);
    if (row === undefined || variant.price === undefined || Number(row.price) === Number(variant.price)) continue;
    recorded.push(await insertPrice(database, row.id, source, variant));
  }
  return recorded;
}

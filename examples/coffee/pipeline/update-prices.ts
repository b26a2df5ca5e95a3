import { runOperation } from 'siphon-otel/pipeline';
import type { Database, PooledDatabase } from './database.ts';
import { countChanges, type RecordedPrice } from './price-change.ts';
import type { Variant } from './product.ts';
import type { ProductSource } from './product-source.ts';
import { insertPrice, markChecked } from './write-products.ts';

interface RecordedVariant {
  readonly id: string;
  readonly platformVariantId: string;
  readonly price: string | null;
}

/** B.2: records changed prices, and for every variant its stock and the time of the check. */
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
    // A variant that is not known from a full run does not belong to a coffee yet.
    const row = known.get(variant.platformVariantId);
    if (row === undefined || variant.price === undefined || Number(row.price) === Number(variant.price)) continue;
    recorded.push(await insertPrice(database, row.id, source, variant));
  }
  return recorded;
}

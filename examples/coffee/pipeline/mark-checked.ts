import type { Database } from './database.ts';
import type { Variant } from './product.ts';
import type { ProductSource } from './product-source.ts';

/** Notes of variants that are known already that they were looked at just now, and whether they are in stock. */
export async function markChecked(
  database: Database,
  source: ProductSource,
  variants: readonly Variant[],
): Promise<void> {
  await database.query(
    { query_type: 'update', table: 'variants' },
    `update variants v set in_stock = seen.in_stock, price_last_checked_at = now(), last_seen_at = now(), updated_at = now()
     from unnest($2::text[], $3::boolean[]) as seen (platform_variant_id, in_stock), coffees c
     where c.id = v.coffee_id and c.roaster_id = $1 and v.platform_variant_id = seen.platform_variant_id`,
    [
      source.roasterId,
      variants.map(({ platformVariantId }) => platformVariantId),
      variants.map(({ inStock }) => inStock),
    ],
  );
}

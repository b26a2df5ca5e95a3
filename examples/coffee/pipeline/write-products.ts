import { createHash } from 'node:crypto';
import { runOperation } from 'siphon-otel/pipeline';
import type { Database, PooledDatabase } from './database.ts';
import { countChanges, type RecordedPrice } from './price-change.ts';
import type { Product, Variant } from './product.ts';
import type { ProductSource } from './product-source.ts';

/**
 * A.4: writes each product in its own transaction, so that an interrupted run leaves only complete products. For
 * unchanged variants it only records that they were checked.
 */
export async function writeProducts(
  database: PooledDatabase,
  source: ProductSource,
  { products, unchanged }: { readonly products: readonly Product[]; readonly unchanged: readonly Variant[] },
): Promise<RecordedPrice[]> {
  return await runOperation('A.4', { source: source.slug }, async () => {
    await markChecked(database, source, unchanged);
    const recorded: RecordedPrice[] = [];
    for (const product of products) {
      const prices = await database.transaction(async (open) => await writeProduct(open, source, product));
      countChanges(source.slug, prices);
      recorded.push(...prices);
    }
    return recorded;
  });
}

async function writeProduct(database: Database, source: ProductSource, product: Product): Promise<RecordedPrice[]> {
  const coffeeId = await database.rpc<string>('rpc_upsert_coffee', {
    roaster_id: source.roasterId,
    slug: product.slug,
    name: product.name,
    is_coffee: product.isCoffee,
    processing_status: product.warnings.length > 0 ? 'review' : 'ok',
    processing_warnings: JSON.stringify(product.warnings),
    raw_payload_hash: product.rawHash,
    content_hash: createHash('sha256').update(`${product.slug}\0${product.name}`).digest('hex'),
  });
  const recorded: RecordedPrice[] = [];
  for (const variant of product.variants) {
    const variantId = await upsertVariant(database, coffeeId, variant);
    if (variant.price !== undefined) recorded.push(await insertPrice(database, variantId, source, variant));
  }
  return recorded;
}

async function upsertVariant(database: Database, coffeeId: string, variant: Variant): Promise<string> {
  return await database.rpc<string>('rpc_upsert_variant', {
    coffee_id: coffeeId,
    platform_variant_id: variant.platformVariantId,
    currency: variant.currency,
    compare_at_price: variant.compareAtPrice ?? null,
    in_stock: variant.inStock,
    stock_qty: null,
    weight_g: variant.weightG ?? null,
    grind: null,
  });
}

/** Records the current price of a variant, which must be defined. */
export async function insertPrice(
  database: Database,
  variantId: string,
  source: ProductSource,
  { platformVariantId, price, compareAtPrice, currency }: Variant,
): Promise<RecordedPrice> {
  const isSale = compareAtPrice !== undefined && Number(compareAtPrice) > Number(price);
  const previous = await database.rpc<string | null>('rpc_insert_price', {
    variant_id: variantId,
    price,
    currency,
    is_sale: isSale,
    source_url: source.productsUrl,
  });
  return {
    platformVariantId,
    currency,
    price: Number(price),
    isSale,
    previousPrice: previous === null ? null : Number(previous),
  };
}

/** Records for known variants that they were just checked, and whether they are in stock. */
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

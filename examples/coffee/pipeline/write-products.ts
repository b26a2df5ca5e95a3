import { createHash } from 'node:crypto';
import { runOperation } from 'siphon-otel/pipeline';
import type { Database, PooledDatabase } from './database.ts';
import { markChecked } from './mark-checked.ts';
import { countChanges, type RecordedPrice } from './price-change.ts';
import type { Product, Variant } from './product.ts';
import type { ProductSource } from './product-source.ts';

/**
 * A.4: each product in a transaction of its own, so that a run that is cut off leaves whole products. Of variants that
 * are as they were, only that they were looked at is written.
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

/** Records the price that `variant` has now, which must be known. */
export async function insertPrice(
  database: Database,
  variantId: string,
  source: ProductSource,
  { platformVariantId, price, compareAtPrice, currency }: Variant,
): Promise<RecordedPrice> {
  const previous = await database.rpc<string | null>('rpc_insert_price', {
    variant_id: variantId,
    price,
    currency,
    is_sale: compareAtPrice !== undefined && Number(compareAtPrice) > Number(price),
    source_url: source.productsUrl,
  });
  return {
    platformVariantId,
    currency,
    price: Number(price),
    previousPrice: previous === null ? null : Number(previous),
  };
}

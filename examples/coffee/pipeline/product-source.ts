import type { Database } from './database.ts';

/** Where and how the products of one roaster are fetched. */
export interface ProductSource {
  readonly id: string;
  readonly roasterId: string;
  /** The slug of the roaster; the value of the labels `source` and `roaster`. */
  readonly slug: string;
  readonly platform: 'shopify' | 'woocommerce';
  /** Without a query. */
  readonly productsUrl: string;
  /** A price change above this percentage is a spike. */
  readonly alertPriceDeltaPercent: number;
}

export async function activeSources(database: Database): Promise<ProductSource[]> {
  return await database.query<ProductSource>(
    { query_type: 'select', table: 'product_sources' },
    `select s.id, r.id as "roasterId", r.slug, s.platform, s.base_url || s.products_endpoint as "productsUrl",
            r.alert_price_delta_pct::float8 as "alertPriceDeltaPercent"
     from product_sources s join roasters r on r.id = s.roaster_id
     where r.is_active and s.platform in ('shopify', 'woocommerce') order by r.slug`,
  );
}

import { withClient } from '../../postgres/with-client.ts';

export interface SourceRegistration {
  readonly slug: string;
  readonly name: string;
  readonly platform: 'shopify' | 'woocommerce';
  readonly baseUrl: string;
  readonly productsEndpoint: string;
}

/** Inserts a roaster and its product source, or updates the address of a known one. */
export async function registerSource(databaseUrl: string, source: SourceRegistration): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    await client.query(
      `with roaster as (
         insert into roasters (slug, name, platform, website, full_cadence, price_cadence)
         values ($1, $2, $3, $4, '0 3 1 * *', '0 4 * * 0')
         on conflict (slug) do update set website = excluded.website, updated_at = now() returning id
       )
       insert into product_sources (roaster_id, base_url, platform, products_endpoint)
       select id, $4, $3, $5 from roaster
       on conflict (roaster_id, products_endpoint) do update set base_url = excluded.base_url`,
      [source.slug, source.name, source.platform, source.baseUrl, source.productsEndpoint],
    );
  });
}

import { registerSource } from '../database/register-source.ts';
import { startStore, type Store } from './store.ts';

export interface ShopsOptions {
  readonly seed: string;
  /** Without hiccups and spikes of their own: what goes wrong, a fault has done. */
  readonly areCalm: boolean;
}

/** The two shops of the demo, with hiccups that even a single run meets, known to the database as product sources. */
export async function startShops(databaseUrl: string, { seed, areCalm }: ShopsOptions): Promise<readonly Store[]> {
  const isCalm = areCalm;
  const hiccups = (rateLimitedAt: number, brokenAt: number) => (isCalm ? {} : { rateLimitedAt, brokenAt });
  const shopify = await startStore({ platform: 'shopify', seed, isCalm, ...hiccups(2, 19) });
  const woo = await startStore({ platform: 'woocommerce', seed, isCalm, ...hiccups(12, 3) });
  const shops = [shopify, woo];
  try {
    await registerSource(databaseUrl, {
      slug: 'blue-tokai',
      name: 'Blue Tokai Coffee Roasters',
      platform: 'shopify',
      baseUrl: shopify.url,
      productsEndpoint: '/products.json',
    });
    await registerSource(databaseUrl, {
      slug: 'babas-beans',
      name: 'Baba\u2019s Beans',
      platform: 'woocommerce',
      baseUrl: woo.url,
      productsEndpoint: '/wp-json/wc/store/v1/products',
    });
  } catch (error) {
    await Promise.all(shops.map(async (shop) => await shop.stop()));
    throw error;
  }
  return shops;
}

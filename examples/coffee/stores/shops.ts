import { registerSource } from '../database/register-source.ts';
import { startStore, type Store } from './store.ts';

export interface ShopsOptions {
  readonly seed: string;
  /** Disables the built-in hiccups and price spikes, so that every error comes from a fault. */
  readonly areCalm: boolean;
}

/**
 * Starts the two shops of the demo and registers them as product sources. Their hiccups are frequent enough for a
 * single run to meet them.
 */
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

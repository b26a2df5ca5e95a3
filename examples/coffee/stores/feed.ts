/** Types of the fields of the recorded feeds that the stores change. All other fields are served as recorded. */
import { readFile } from 'node:fs/promises';

export interface ShopifyVariant {
  readonly id: number;
  readonly price: string;
  readonly available: boolean;
}

export interface ShopifyProduct {
  readonly variants: readonly ShopifyVariant[];
}

export interface WooProduct {
  readonly id: number;
  readonly is_in_stock: boolean;
  readonly prices: { readonly price: string; readonly regular_price: string };
}

export async function readShopifyFeed(): Promise<readonly ShopifyProduct[]> {
  const feed = (await readFeed('bluetokaicoffee-shopify.json')) as { products: ShopifyProduct[] };
  return feed.products;
}

export async function readWooFeed(): Promise<readonly WooProduct[]> {
  return (await readFeed('bababeans-woocommerce.json')) as WooProduct[];
}

async function readFeed(name: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(`../feeds/${name}`, import.meta.url), 'utf8')) as unknown;
}

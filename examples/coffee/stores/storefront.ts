import type { Market } from './market.ts';

/** The differences between a Shopify shop and a WooCommerce shop: path, paging and format of the products. */
export interface Storefront {
  readonly path: string;
  page(query: URLSearchParams, market: Market, withInvalid: boolean): Page;
}

export interface Page {
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** A whole number from 1 to `most`; the default when the parameter is missing or invalid. */
export function positiveParameter(query: URLSearchParams, name: string, fallback: number, most: number): number {
  const value = Number(query.get(name) ?? fallback);
  return Number.isInteger(value) && value >= 1 ? Math.min(value, most) : fallback;
}

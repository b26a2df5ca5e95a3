import type { Market } from './market.ts';

/** What tells a Shopify shop from a WooCommerce one: where the products are, how they are paged, how they look. */
export interface Storefront {
  readonly path: string;
  page(query: URLSearchParams, market: Market, withInvalid: boolean): Page;
}

export interface Page {
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** A whole number of at least 1, else the default; no more than `most`. */
export function positiveParameter(query: URLSearchParams, name: string, fallback: number, most: number): number {
  const value = Number(query.get(name) ?? fallback);
  return Number.isInteger(value) && value >= 1 ? Math.min(value, most) : fallback;
}

import { readWooFeed, type WooProduct } from './feed.ts';
import { isInStock, listed, priceFactor, type Market } from './market.ts';
import { positiveParameter, type Page, type Storefront } from './storefront.ts';

const defaultPerPage = 10;
const maxPerPage = 100;

/** The Store API, `/wp-json/wc/store/v1/products?per_page=&page=`: headers contain the number of pages. */
export async function woocommerce(): Promise<Storefront> {
  const products = await readWooFeed();
  return {
    path: '/wp-json/wc/store/v1/products',
    page: (query, market, withInvalid): Page => {
      const perPage = positiveParameter(query, 'per_page', defaultPerPage, maxPerPage);
      const start = (positiveParameter(query, 'page', 1, Number.MAX_SAFE_INTEGER) - 1) * perPage;
      const all = listed(market, products);
      const page = all.slice(start, start + perPage).map((product, index) => move(product, market, start + index));
      return {
        body: withInvalid ? page.map(breakEverySecond) : page,
        headers: {
          'x-wp-total': String(all.length),
          'x-wp-totalpages': String(Math.ceil(all.length / perPage)),
        },
      };
    },
  };
}

function move(product: WooProduct, market: Market, index: number): WooProduct {
  const factor = priceFactor(market, product.id, index === 0);
  const moved = (minorUnits: string): string => String(Math.round(Number(minorUnits) * factor));
  const { prices } = product;
  return {
    ...product,
    prices: { ...prices, price: moved(prices.price), regular_price: moved(prices.regular_price) },
    is_in_stock: isInStock(market, product.id, product.is_in_stock),
  };
}

function breakEverySecond(product: WooProduct, index: number): object {
  if (index % 2 === 0) return product;
  return index % 4 === 1 ? { ...product, name: '' } : { ...product, prices: { ...product.prices, price: 'free' } };
}

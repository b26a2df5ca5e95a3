import { readShopifyFeed, type ShopifyProduct, type ShopifyVariant } from './feed.ts';
import { isInStock, listed, priceFactor, type Market } from './market.ts';
import { positiveParameter, type Page, type Storefront } from './storefront.ts';

const defaultLimit = 30;
const maxLimit = 250;

/** `/products.json?limit=&page=`: clients request pages until one is empty. */
export async function shopify(): Promise<Storefront> {
  const products = await readShopifyFeed();
  return {
    path: '/products.json',
    page: (query, market, withInvalid): Page => {
      const limit = positiveParameter(query, 'limit', defaultLimit, maxLimit);
      const start = (positiveParameter(query, 'page', 1, Number.MAX_SAFE_INTEGER) - 1) * limit;
      const page = listed(market, products)
        .slice(start, start + limit)
        .map((product, index) => move(product, market, start + index));
      return { body: { products: withInvalid ? page.map(breakEverySecond) : page }, headers: {} };
    },
  };
}

function move(product: ShopifyProduct, market: Market, productIndex: number): ShopifyProduct {
  const variants = product.variants.map((variant, index): ShopifyVariant => {
    const factor = priceFactor(market, variant.id, productIndex === 0 && index === 0);
    return {
      ...variant,
      price: (Number(variant.price) * factor).toFixed(2),
      available: isInStock(market, variant.id, variant.available),
    };
  });
  return { ...product, variants };
}

function breakEverySecond(product: ShopifyProduct, index: number): object {
  if (index % 2 === 0) return product;
  return index % 4 === 1 ? { ...product, title: null } : { ...product, variants: [] };
}

import { describe, expect, it } from 'vitest';
import { startStore, type StoreOptions } from './store.ts';

const woo: StoreOptions = { platform: 'woocommerce', seed: 'test', maxLatencyMs: 0 };
const shopify: StoreOptions = { platform: 'shopify', seed: 'test', maxLatencyMs: 0 };
const wooPath = '/wp-json/wc/store/v1/products';

describe('a store', () => {
  it('pages like Shopify: full pages, then an empty one', async () => {
    await using store = await startStore(shopify);
    const lengths: number[] = [];
    for (let page = 1; page <= 4; page++) {
      const { products } = (await getJson(`${store.url}/products.json?limit=10&page=${page}`)) as {
        products: unknown[];
      };
      lengths.push(products.length);
    }
    expect(lengths).toEqual([10, 10, 10, 0]);
  });

  it('pages like WooCommerce: headers contain the number of products', async () => {
    await using store = await startStore(woo);
    const response = await fetch(`${store.url}${wooPath}?per_page=4&page=3`);
    expect(response.headers.get('x-wp-total')).toBe('10');
    expect(response.headers.get('x-wp-totalpages')).toBe('3');
    expect(await response.json()).toHaveLength(2);
  });

  it('answers 304 to the current ETag, and sends a body after a change', async () => {
    await using store = await startStore(woo);
    const url = `${store.url}${wooPath}?per_page=10`;
    const [, second] = [await fetch(url), await fetch(url)];
    const headers = { 'if-none-match': second.headers.get('etag')! };
    // The third crawl finds what the second has left; the fourth does not.
    expect([(await fetch(url, { headers })).status, (await fetch(url, { headers })).status]).toEqual([304, 200]);
  });

  it('repeats exactly with the same seed, and differs with another', async () => {
    const [first, again, other] = [await crawls('a'), await crawls('a'), await crawls('b')];
    expect(again === first).toBe(true);
    expect(other === first).toBe(false);
  });

  it('hiccups at the configured requests', async () => {
    await using store = await startStore({ ...woo, rateLimitedAt: 1, brokenAt: 2 });
    const answers = [];
    for (let request = 0; request < 4; request++) answers.push(await fetch(`${store.url}${wooPath}`));
    expect(answers.map(({ status }) => status)).toEqual([200, 429, 502, 200]);
    expect(answers[1]!.headers.get('retry-after')).toBe('1');
  });

  it('breaks and heals over its control endpoint', async () => {
    await using store = await startStore(woo);
    const url = `${store.url}${wooPath}`;
    const control = async (fault: string, method: string): Promise<number> =>
      (await fetch(`${store.url}/control/faults/${fault}`, { method })).status;

    expect(await control('store_down', 'PUT')).toBe(204);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
    expect(await control('store_down', 'DELETE')).toBe(204);
    expect((await fetch(url)).status).toBe(200);

    await control('rate_limit_storm', 'PUT');
    expect((await fetch(url)).status).toBe(429);
    await control('rate_limit_storm', 'DELETE');

    const listed = (await getJson(url)) as unknown[];
    await control('empty_feed', 'PUT');
    expect([listed.length > 0, await getJson(url)]).toEqual([true, []]);
    await control('empty_feed', 'DELETE');

    await control('half_feed', 'PUT');
    expect(await getJson(url)).toHaveLength(Math.ceil(listed.length / 2));
    await control('half_feed', 'DELETE');

    await control('sold_out', 'PUT');
    expect(await getJson(url)).not.toContainEqual(expect.objectContaining({ is_in_stock: true }));
    await control('sold_out', 'DELETE');

    const before = await firstPrice(url);
    await control('price_spike', 'PUT');
    expect(await firstPrice(url)).toBeGreaterThan(before * 1.3);
    expect(await control('no_such_fault', 'PUT')).toBe(404);
    expect(await control('price_spike', 'POST')).toBe(405);
  });
});

async function crawls(seed: string): Promise<string> {
  await using store = await startStore({ ...shopify, seed });
  const url = `${store.url}/products.json?limit=250`;
  return [await getText(url), await getText(url), await getText(url), await getText(url)].join('\n');
}

async function firstPrice(url: string): Promise<number> {
  const products = (await getJson(url)) as { prices: { price: string } }[];
  return Number(products[1]!.prices.price);
}

async function getJson(url: string): Promise<unknown> {
  return JSON.parse(await getText(url)) as unknown;
}

async function getText(url: string): Promise<string> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return await response.text();
}

import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const blue = 'platform=shopify,roaster=blue';
const prices = `prices.recorded{currency=INR,is_sale=false,${blue}}`;

/** What no row has: the price is a new one of a variant of its own. */
const price = (rows: number, scrapedAt = 'clock_timestamp()'): string => `
  with variant as (
    insert into variants (coffee_id, platform_variant_id, currency, in_stock)
    select c.id, gen_random_uuid()::text, 'INR', true from coffees c, generate_series(1, ${rows}) n returning id)
  insert into prices (variant_id, price, currency, scraped_at) select id, 100, 'INR', ${scrapedAt} from variant`;

describe('db_poller counts rows exactly', () => {
  let database: TestPostgres;
  const clients: Client[] = [];
  beforeAll(async () => {
    database = await startTestPostgres();
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(async () => {
    await database.sql(`
      truncate roasters, product_sources, scrape_runs, scrape_artifacts, coffees, variants, prices cascade;
      with roaster as (insert into roasters (name, slug, platform) values ('Blue', 'blue', 'shopify') returning id),
           source as (insert into product_sources (roaster_id, base_url, platform, products_endpoint)
                      select id, 'http://blue', 'shopify', '/p' from roaster)
      insert into coffees (roaster_id, name, slug) select id, 'a', 'a' from roaster`);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map(async (client) => await client.end()));
  });

  const start = (config: Record<string, unknown> = {}): Promise<PollerUnderTest> =>
    PollerUnderTest.start({ datasource: database.url, packs: { scrape_pipeline: {} }, ...config });

  const session = async (): Promise<Client> => {
    const client = new Client({ connectionString: database.url });
    clients.push(client);
    await client.connect();
    return client;
  };

  it('counts what comes after it has begun, and nothing that was there', async () => {
    await database.sql(price(3));
    await using poller = await start();
    await poller.hasBegunToCount();
    await database.sql(price(2));
    await shows(poller, prices, 2);
    await shows(poller, `price.deltas{change_type=first,currency=INR,${blue}}`, 2);
    await shows(poller, `variants.created{${blue}}`, 2);
    await shows(poller, `coffees.created{${blue}}`, 0);
    expect(await poller.failures('other')).toBe(0);
  });

  it('waits for every older transaction that writes, so that nothing can come before what was counted', async () => {
    await using poller = await start();
    await poller.hasBegunToCount();
    const slow = await session();
    await slow.query('begin');
    await slow.query(price(1));
    await database.sql(price(4));
    await slow.query('savepoint s');
    await slow.query(price(2));
    await slow.query('rollback to s');
    await slow.query('savepoint s');
    await slow.query(price(3));
    await waitFor(async () => ((await poller.own('horizon_lag_seconds')) ?? 0) > 0, { what: 'the lag' });
    expect(poller.series.get(prices)).toBeUndefined();
    await slow.query('commit');
    await shows(poller, prices, 8);
    await waitFor(async () => (await poller.own('horizon_lag_seconds')) === 0, { what: 'the end of the lag' });
  });

  it('takes a bulk insert in batches, and says how much is left', async () => {
    await using poller = await start({ packs: { scrape_pipeline: { batch_rows: 100 } } });
    await poller.hasBegunToCount();
    await database.sql(price(1050));
    await waitFor(async () => ((await poller.own('backlog_rows{query="scrape_pipeline.prices"}')) ?? 0) > 0, {
      what: 'a backlog',
    });
    await shows(poller, prices, 1050);
    await waitFor(async () => (await poller.own('backlog_rows{query="scrape_pipeline.prices"}')) === 0, {
      what: 'the end of the backlog',
    });
  });
});

async function shows(poller: PollerUnderTest, series: string, value: number): Promise<void> {
  await waitFor(() => poller.series.get(series) === value, {
    what: `${series} to be ${value}, which is ${String(poller.series.get(series))}`,
  });
}

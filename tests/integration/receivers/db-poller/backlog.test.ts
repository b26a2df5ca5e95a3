import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

/** Tests that wait for timeouts need minutes on a machine with other work. */
const PATIENCE_MS = 180_000;
vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

const ofBlue = 'currency=INR,is_sale=false,platform=shopify,roaster=blue';

/** Each test changes the tables, so each has its own: it can be repeated. */
let database: TestPostgres;
beforeEach(async () => {
  database = await startTestPostgres();
  await database.sql(`
    with roaster as (insert into roasters (name, slug, platform) values ('Blue', 'blue', 'shopify') returning id),
         coffee as (insert into coffees (roaster_id, name, slug) select id, 'a', 'a' from roaster returning id)
    insert into variants (coffee_id, platform_variant_id, currency, in_stock) select id, 'v', 'INR', true from coffee`);
});
afterEach(() => database[Symbol.asyncDispose]());

it('drains forty thousand prices of one variant without statistics for the planner', async () => {
  await using poller = await start();
  await enter(40_000);
  await counted(poller, 40_000);
  const change = (type: string): number | undefined =>
    poller.series.get(`price.deltas{change_type=${type},currency=INR,platform=shopify,roaster=blue}`);
  const changes = (): readonly unknown[] => ['first', 'increase', 'decrease', 'unchanged'].map(change);
  await expect.poll(changes, { timeout: 20_000 }).toEqual([1, 29_999, 10_000, 0]);
  expect(await timeouts(poller)).toBe(0);
});

it('suggests more time for a table that is not read within reconcile_timeout, and counts when it has it', async () => {
  await database.sql(`
    insert into coffees (roaster_id, name, slug) select id, n, n from roasters, generate_series(1, 20) n;
    alter table coffees enable row level security;
    create policy slow on coffees using (pg_sleep(0.1) is not null)`);
  await using poller = await launch({ reconcile_timeout: '500ms' });
  const said = (): unknown => poller.log.find(({ query }) => query === 'scrape_pipeline.coffees_created')?.['err'];
  await waitFor(() => said() !== undefined, { what: 'the line' });
  expect(said()).toMatchObject({ repair: 'Give it more time with reconcile_timeout' });
  await database.sql('drop policy slow on coffees; alter table coffees disable row level security');
  await poller.hasBegunToCount();
});

it('suggests the same if older rows are not read within it', async () => {
  await database.sql(`
    alter table prices enable row level security;
    create policy slow on prices using (scraped_at > now() - interval '2 h' or pg_sleep(0.1) is not null)`);
  await using poller = await start({ reconcile_interval: '1s', reconcile_timeout: '500ms' });
  const older = 'Older rows cannot be counted; siphon will try again';
  // On a slow machine a sweep begins, which reads the first of them, in time.
  const said = async (): Promise<number> => {
    await database.sql(`
      insert into prices (variant_id, price, currency, scraped_at)
      select id, 1, 'INR', now() - interval '3 h' - n * interval '1 ms' from variants, generate_series(1, 20) n`);
    return poller.said(older);
  };
  await expect.poll(said, { timeout: 40_000, interval: 1000 }).toBe(1);
  const line = poller.log.find(({ msg }) => msg === older);
  expect(line?.['err']).toMatchObject({ repair: 'Give it more time with reconcile_timeout' });
});

it('takes smaller batches after a timeout, until the backlog is gone', async () => {
  await database.sql(`
    create type spoken as (word text);
    create function say(spoken) returns text language plpgsql as $$ begin perform pg_sleep(0.005); return $1.word; end $$;
    create cast (spoken as text) with function say(spoken);
    alter table roasters alter slug type spoken using row(slug)::spoken`);
  await using poller = await start({ timeout: '1s' });
  await enter(300);
  await counted(poller, 300);
  expect(await timeouts(poller)).toBeGreaterThan(0);
  // A slow machine can have further timeouts.
  expect(poller.said('Query succeeds again')).toBeGreaterThan(0);
});

async function launch(config: Record<string, unknown> = {}): Promise<PollerUnderTest> {
  const packs = { scrape_pipeline: {} };
  return await PollerUnderTest.start({ datasource: database.pollerUrl, packs, ...config });
}

async function start(config: Record<string, unknown> = {}): Promise<PollerUnderTest> {
  const poller = await launch(config);
  await poller.hasBegunToCount();
  return poller;
}

/** Three that rise, and one that falls. */
async function enter(prices: number): Promise<void> {
  await database.sql(`
    insert into prices (variant_id, price, currency, scraped_at)
    select id, n % 4 + 1, 'INR', now() - interval '1 min' + n * interval '1 ms' from variants, generate_series(1, ${prices}) n`);
}

async function counted(poller: PollerUnderTest, prices: number): Promise<void> {
  const key = `prices.recorded{${ofBlue}}`;
  await waitFor(() => poller.series.get(key) === prices, {
    what: `${prices} prices, ${poller.series.get(key)} so far`,
    timeoutMs: PATIENCE_MS - 10_000,
  });
}

async function timeouts(poller: PollerUnderTest): Promise<number | undefined> {
  return await poller.own('errors{query="scrape_pipeline.prices",reason="timeout"}');
}

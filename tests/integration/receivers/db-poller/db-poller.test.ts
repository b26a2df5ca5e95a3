import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { registerSource } from '../../../../examples/coffee/database/register-source.ts';
import { scrapePipeline } from '../../../../src/packs/scrape-pipeline/index.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const often = { collection_interval: '200ms' };
const bothPacks = {
  scrape_pipeline: {},
  postgres_health: { tables: ['public.prices'], queries: { size: often, tables: often } },
};
const blue = 'platform=shopify,roaster=blue';

describe('db_poller on a real database', () => {
  let database: TestPostgres;
  beforeAll(async () => {
    database = await startTestPostgres();
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(async () => {
    await database.sql('truncate roasters, product_sources, scrape_runs, coffees, variants cascade');
  });

  const start = (config: Record<string, unknown> = {}): Promise<PollerUnderTest> =>
    PollerUnderTest.start({ datasource: database.pollerUrl, packs: bothPacks, ...config });

  it('publishes from empty tables only the state of the database itself, and that its health is unknown', async () => {
    await using poller = await start();
    await has(poller, 'database.connections.active{}');
    await has(poller, 'pipeline.health.unknown_components{}');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([...poller.series].filter(([key]) => !key.startsWith('database.'))).toEqual([
      ['pipeline.health.unknown_components{}', 5],
    ]);
    expect(poller.logText).not.toContain('Query failed');
    const { hostname, port, pathname } = new URL(database.pollerUrl);
    expect([...poller.instances]).toEqual([`${hostname}:${port}${pathname}`]);
  });

  it('publishes for seeded rows exactly what they say', async () => {
    await seed(database);
    await using poller = await start();
    await has(poller, 'pipeline.health.score{component=total}');
    await has(poller, `variants.price_stale{${blue}}`);
    await has(poller, `scrape.runs.running{${blue}}`);
    await has(poller, `scrape.overdue{cadence=full,${blue}}`);
    await has(poller, `variants{in_stock=false,${blue},status=active}`);
    await has(poller, `coffees{${blue.replace(',', ',processing_status=unknown,')},status=active}`);
    await has(poller, `scrape.last_run.timestamp{${blue},status=ok}`);
    const { series } = poller;
    expect(series.get(`scrape.runs.running{${blue}}`)).toBe(1);
    expect(series.get('scrape.runs.running{platform=other,roaster=unknown}')).toBe(1);
    expect(series.get(`scrape.run.oldest_running{${blue}}`)).toBeCloseTo(120, -1);
    expect(series.get(`scrape.last_run.timestamp{${blue},status=ok}`)).toBeCloseTo(Date.now() / 1000 - 3600, -2);
    expect(series.get(`scrape.last_run.timestamp{${blue},status=partial}`)).toBeUndefined();
    expect(series.get(`scrape.overdue{cadence=full,${blue}}`)).toBeGreaterThan(3600);
    expect(series.get(`scrape.overdue{cadence=price,${blue}}`)).toBe(0);
    expect(series.get(`scrape.due_since_ok{cadence=price,${blue}}`)).toBe(0);
    expect(series.has(`scrape.cadence_invalid{cadence=price,${blue}}`)).toBe(false);
    expect(series.get('roasters{is_active=true,platform=shopify}')).toBe(1);
    expect(series.get(`review.rate{${blue}}`)).toBe(50);
    expect(series.get(`coffees{${blue.replace(',', ',processing_status=review,')},status=active}`)).toBe(1);
    expect(series.get(`variants{in_stock=true,${blue},status=active}`)).toBe(3);
    expect(series.get(`variants{in_stock=false,${blue},status=active}`)).toBe(1);
    expect(series.get(`variants.price_stale{${blue}}`)).toBe(2);
    expect(series.get('pipeline.health.unknown_components{}')).toBe(0);
    expect(series.get('pipeline.health.input{component=runs}')).toBe(50);
    expect(series.get('pipeline.health.input{component=freshness}')).toBe(50);
    expect(series.get('pipeline.health.input{component=checked}')).toBe(50);
    expect(series.get('pipeline.health.input{component=review}')).toBe(50);
    expect(series.get('pipeline.health.input{component=stock}')).toBe(75);
    expect(series.get('pipeline.health.score{component=total}')).toBeCloseTo(15 + 10 + 10 + 0 + 7.5, 9);
  });

  it('shows which share of the active variants the last run that did not fail has seen', async () => {
    await seed(database);
    await database.sql(`
      with ranked as (select id, row_number() over (order by id) as rank from variants where status = 'active')
      update variants set last_seen_at = now() - interval '1 day', price_last_checked_at = now() - interval '1 day'
        where id in (select id from ranked where rank > 1);
      update variants set price_last_checked_at = now() where id = (select min(id::text)::uuid from variants where status = 'active');
      insert into scrape_runs (source_id, started_at, finished_at, status) select id, now(), now(), 'fail' from product_sources`);
    await using poller = await start();
    await has(poller, `scrape.last_run.seen{${blue}}`);
    expect(poller.series.get(`scrape.last_run.seen{${blue}}`)).toBe(0.25);
  });

  it('gives a run that began after the transaction of the poll an age of 0, not a negative one', async () => {
    await seed(database);
    await database.sql(`update scrape_runs set started_at = now() + interval '1 hour' where finished_at is null`);
    await using poller = await start();
    await has(poller, `scrape.run.oldest_running{${blue}}`);
    expect(poller.series.get(`scrape.run.oldest_running{${blue}}`)).toBe(0);
  });

  it('has a point for every metric of the pipeline, from what the scraper of the demo writes', async () => {
    await using poller = await start();
    await poller.hasBegunToCount();
    await scrapeOnce(database);
    const { scrape_cadence_invalid: _, ...certain } = scrapePipeline.metrics;
    const metrics = Object.entries(certain)
      .filter(([, { source }]) => source === 'poller')
      .map(([, metric]) => metric);
    await waitFor(
      () =>
        metrics.every(({ name, kind }) => {
          const prefix = kind === 'histogram' ? `${name}_count{` : `${name}{`;
          return [...poller.series.keys()].some((key) => key.startsWith(prefix));
        }),
      {
        what: metrics.map(({ name }) => name).join(', '),
      },
    );
    const roaster = 'platform=shopify,roaster=blue-tokai';
    expect(poller.series.get(`scrape.overdue{cadence=full,${roaster}}`)).toBe(0);
    expect(
      poller.series.get(`coffees{platform=shopify,processing_status=review,roaster=blue-tokai,status=active}`),
    ).toBe(1);
    expect(poller.series.get(`variants.price_stale{${roaster}}`)).toBe(0);
    expect(await poller.failures('other')).toBe(0);
  });

  it('polls a query at the interval that is set for it', async () => {
    const queries = { roasters: { collection_interval: '1h' } };
    await using poller = await start({ packs: { scrape_pipeline: { queries } } });
    const polls = (name: string) => poller.own(`query_duration_seconds_count{query="scrape_pipeline.${name}"}`);
    await waitFor(async () => ((await polls('coffees')) ?? 0) >= 3, { what: 'three polls of another query' });
    expect(await polls('roasters')).toBe(1);
  });

  it('retracts the series of deleted rows', async () => {
    await seed(database);
    await using poller = await start();
    const key = 'roasters{is_active=true,platform=shopify}';
    await has(poller, key);
    await database.sql('update roasters set is_active = false');
    await waitFor(() => poller.series.get(key) === undefined, { what: 'the retraction' });
    expect(poller.series.get('roasters{is_active=false,platform=shopify}')).toBe(1);
  });

  it('emits no point for a bad cron text, logs it once, and keeps the other cadence', async () => {
    await seed(database);
    await database.sql(`update roasters set full_cadence = 'now and then'`);
    await using poller = await start({ packs: { scrape_pipeline: {} } });
    await has(poller, `scrape.overdue{cadence=price,${blue}}`);
    const invalid = 'dropped_points{query="scrape_pipeline.overdue",reason="invalid_cron"}';
    await waitFor(async () => ((await poller.own(invalid)) ?? 0) > 1, { what: 'a second poll' });
    expect(poller.series.has(`scrape.overdue{cadence=full,${blue}}`)).toBe(false);
    expect(poller.series.get(`scrape.cadence_invalid{cadence=full,${blue}}`)).toBe(1);
    const said = (): unknown[] => poller.log.filter(({ msg }) => String(msg).startsWith('Ignoring invalid'));
    expect(said()).toMatchObject([
      { query: 'scrape_pipeline.overdue', subjects: ['full_cadence of roaster blue'], count: 1 },
    ]);
    await database.sql(`update roasters set price_cadence = '0 0 30 2 *'`);
    await waitFor(() => said().length === 2, { what: 'the line about one more' });
    expect(said()[1]).toMatchObject({ count: 2 });
    await database.sql(`update roasters set full_cadence = '@monthly', price_cadence = '@weekly'`);
    await has(poller, `scrape.overdue{cadence=full,${blue}}`);
    await waitFor(() => poller.said('All cron expressions are valid again') === 1, { what: 'the log line' });
    expect(poller.series.get(`scrape.cadence_invalid{cadence=full,${blue}}`)).toBeUndefined();
  });

  it('reads cadences in the time zone of the scheduler, and excuses a run that is not an hour early', async () => {
    await seed(database);
    await database.sql(`
      delete from scrape_runs where finished_at is null or status = 'fail';
      update roasters set full_cadence = to_char(now() at time zone 'Asia/Kolkata' - interval '1 hour', 'MI HH24 * * *');
      update scrape_runs set stats_json = null, started_at = date_trunc('minute', now() - interval '2 hours 1 minute')`);
    await using poller = await start({ packs: { scrape_pipeline: { cadence_timezone: 'Asia/Kolkata' } } });
    const key = `scrape.overdue{cadence=full,${blue}}`;
    await has(poller, key);
    expect(poller.series.get(key)).toBeGreaterThan(3500);
    await database.sql(`update scrape_runs set started_at = started_at + interval '3 minutes'`);
    await waitFor(() => poller.series.get(key) === 0, { what: 'the excuse' });
  });

  it('times out where a table is locked, retracts only what came from it, and recovers', async () => {
    await seed(database);
    await using poller = await start({ lock_timeout: '200ms' });
    const locked = `variants.price_stale{${blue}}`;
    await has(poller, locked);
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query('begin; lock table variants in access exclusive mode');
    await waitFor(() => poller.series.get(locked) === undefined, { what: 'the retraction' });
    await database.sql(`insert into roasters (name, slug, platform) values ('n', 'new', 'custom')`);
    await has(poller, 'roasters{is_active=true,platform=custom}');
    await client.query('rollback');
    await client.end();
    await has(poller, locked);
    await waitFor(() => poller.said('Query succeeds again') > 0, { what: 'the log line' });
  });

  it('switches off only what a missing column takes away, and on again when it comes back', async () => {
    await seed(database);
    await database.sql('alter table coffees rename processing_status to elsewhere');
    await using poller = await start();
    await has(poller, `coffees{${blue.replace(',', ',processing_status=unknown,')},status=active}`);
    await has(poller, 'pipeline.health.score{component=stock}');
    expect(poller.series.has(`review.rate{${blue}}`)).toBe(false);
    expect(poller.series.has('pipeline.health.score{component=total}')).toBe(false);
    expect(poller.series.get('pipeline.health.unknown_components{}')).toBe(1);
    const column = ['coffees.processing_status'];
    expect(poller.log.filter(({ off, pack }) => off !== undefined && pack === 'scrape_pipeline')).toMatchObject([
      { pack: 'scrape_pipeline', off: { review_rate: column }, reduced: { coffees: column, health: column } },
    ]);
    expect(await poller.own('query_enabled{query="scrape_pipeline.coffees"}')).toBe(1);
    expect(await poller.own('query_missing_columns{query="scrape_pipeline.coffees"}')).toBe(1);
    await database.sql('alter table coffees rename elsewhere to processing_status');
  });

  it('never logs the password that the database refused', async () => {
    const datasource = Object.assign(new URL(database.url), { username: 'nobody', password: 'hunter2secret' }).href;
    await using poller = await start({ datasource });
    await waitFor(() => poller.said('Database cannot be polled') === 1, { what: 'the line' });
    expect(poller.logText).not.toContain('hunter2secret');
    expect(poller.series.size).toBe(0);
  });

  it('survives the database: retracts its series, logs it once, and continues when it is back', async (context) => {
    const { server } = database;
    if (!server) return context.skip('the server of SIPHON_TEST_POSTGRES_URL is not ours to stop');
    await seed(database);
    await using poller = await start();
    const key = `variants.price_stale{${blue}}`;
    await has(poller, key);
    await server.pause();
    await waitFor(() => [...poller.series.values()].every((value) => value === undefined), {
      what: 'every retraction',
    });
    expect(poller.said('Database cannot be polled')).toBe(1);
    await server.resume();
    await has(poller, key);
    await waitFor(() => poller.said('Database can be polled again') === 1, { what: 'the log line' });
    expect(poller.said('Database cannot be polled')).toBe(1);
  });

  it('is off, and logs it once, without a datasource', async () => {
    await using poller = await start({ datasource: '' });
    expect(poller.said('Poller is off: datasource is empty')).toBe(1);
  });
});

function has(poller: PollerUnderTest, key: string): Promise<boolean> {
  return waitFor(() => poller.series.get(key) !== undefined, { what: key });
}

/** The rows of a full run, and of a price run that is still running. */
async function scrapeOnce(database: TestPostgres): Promise<void> {
  await registerSource(database.url, {
    slug: 'blue-tokai',
    name: 'Blue Tokai',
    platform: 'shopify',
    baseUrl: 'http://shop',
    productsEndpoint: '/products.json',
  });
  const [run] = await database.sql('select rpc_scrape_run_start(id) as id from product_sources');
  await database.sql('select rpc_scrape_run_start(id) from product_sources');
  await database.sql(`
    select rpc_insert_price(rpc_upsert_variant(rpc_upsert_coffee(id, 'a', 'A', true, 'review', '[]', '', ''),
      '1', 'INR', null, true, null, 250, null), 100, 'INR', false) from roasters`);
  await database.sql(`select rpc_insert_price(id, 120, 'INR', false) from variants`);
  await database.sql(`select rpc_record_artifact($1, 'http://shop/1', 200, 5000)`, [run?.['id']]);
  await database.sql(`select rpc_scrape_run_finish($1, '{"job_type": "full"}', 'ok')`, [run?.['id']]);
}

/** One roaster, one run of each kind, four active variants, three coffees. */
async function seed(database: TestPostgres): Promise<void> {
  await database.sql(`
    with roaster as (
      insert into roasters (name, slug, platform, full_cadence, price_cadence, created_at)
      values ('Blue', 'blue', 'shopify', '0 0 * * *', '0 0 1 1 *', now() - interval '3 days') returning id
    ), source as (
      insert into product_sources (roaster_id, base_url, platform, products_endpoint)
      select id, 'http://blue', 'shopify', '/products.json' from roaster returning id
    ), runs as (
      insert into scrape_runs (source_id, started_at, finished_at, status, stats_json)
      select id, now() - interval '2 hours', now() - interval '1 hour', 'ok'::run_status_enum, '{"job_type":"price_only"}'::jsonb from source
      union all select id, now() - interval '2 days', now() - interval '1 day', 'fail', '{"job_type":"full"}' from source
      union all select id, now() - interval '2 minutes', null, null, null from source
      union all select null, now() - interval '1 minute', null, null, null
    ), coffee as (
      insert into coffees (roaster_id, name, slug, processing_status)
      select roaster.id, slug, slug, state::processing_status_enum
      from roaster, (values ('a', 'ok'), ('b', 'review'), ('c', null)) given (slug, state) returning id, slug
    )
    insert into variants (coffee_id, platform_variant_id, currency, in_stock, status, price_last_checked_at)
    select id, number::text, 'INR', number <> 2, case when number = 5 then 'archived' else 'active' end,
           case number when 1 then now() - interval '1 year' when 2 then null else now() end
    from coffee, generate_series(1, 5) number where slug = 'a'`);
}

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dbPollerReceiver } from '../../../../src/components/receivers/db-poller/factory.ts';
import { packs as builtInPacks } from '../../../../src/packs/index.ts';
import { findingsOf } from '../../../support/components/findings.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const metricsOfRoasters = ['scrape.runs.running', 'scrape.runs.started', 'scrape.artifacts.recorded', 'scrape.overdue', 'coffees', 'review.rate', 'variants', 'prices.recorded']; // prettier-ignore

describe('a label column of db_poller that is of another type than its pack expects', () => {
  let database: TestPostgres;
  beforeAll(async () => {
    database = await startTestPostgres();
    await database.sql(`
      insert into roasters (name, slug, platform, full_cadence) values ('Blue', 'blue', 'shopify', '@monthly');
      insert into product_sources (roaster_id, base_url, platform, products_endpoint) select id, 'http://blue', 'shopify', '/p' from roasters;
      insert into coffees (roaster_id, name, slug, processing_status) select id, 'a', 'a', 'ok' from roasters;
      insert into variants (coffee_id, platform_variant_id, currency, in_stock) select id, 'v', 'INR', true from coffees;
      alter table roasters drop constraint roasters_slug_key`);
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(async () => {
    await database.sql(`
      alter table roasters alter slug type text using 'blue';
      alter table prices alter currency type text using 'INR';
      alter table coffees alter status drop default, alter status type text using 'active'`);
  });

  const packs = { scrape_pipeline: {} };
  const start = async (): Promise<PollerUnderTest> => {
    const poller = await PollerUnderTest.start({ datasource: database.pollerUrl, packs });
    await poller.hasBegunToCount();
    return poller;
  };
  const scrape = (currency = `'INR'`): Promise<unknown> =>
    database.sql(`
      with run as (insert into scrape_runs (source_id) select id from product_sources returning id)
      insert into scrape_artifacts (run_id, http_status) select id, 200 from run;
      insert into prices (variant_id, price, currency) select id, 1, ${currency} from variants`);

  it.each([
    ['json', 'to_json(slug)', '"blue"'],
    ['jsonb', `jsonb_build_object('is', slug)`, '{"is": "blue"}'],
    ['bytea', 'slug::bytea', String.raw`\x626c7565`],
    ['text[]', `array[slug, 'b']`, '{blue,b}'],
    ['timestamp', `timestamp '2026-03-01 12:00'`, '2026-03-01 12:00:00'],
    ['point', 'point(1, 2)', '(1,2)'],
  ])('is named as the database writes it, by every query: a roaster of type %s', async (type, expression, written) => {
    await database.sql(`alter table roasters alter slug type ${type} using ${expression}`);
    await using poller = await start();
    await scrape();
    for (const metric of metricsOfRoasters) await has(poller, `${metric}{`, `roaster=${written}`);
    const roasters = [...poller.series.keys()].filter((key) => key.includes('roaster='));
    expect(roasters.filter((key) => !key.includes(`roaster=${written}`))).toEqual([]);
    expect(poller.said('Query failed')).toBe(0);
  });

  it.each([
    ['jsonb', `jsonb_build_object('is', currency)`, `'{"is": "INR"}'`, '{"is": "INR"}'],
    ['text[]', 'array[currency]', `'{INR,b}'`, '{INR,b}'],
  ])('is named so where rows are counted: a currency of type %s', async (type, expression, entered, written) => {
    await database.sql(`alter table prices alter currency type ${type} using ${expression}`);
    await using poller = await start();
    await scrape(entered);
    await has(poller, 'prices.recorded{', `currency=${written},`);
    await has(poller, 'price.deltas{', `currency=${written},`);
    expect(poller.said('Query failed')).toBe(0);
  });

  it('is a problem that is named where the database cannot compare it, and there is no number; the others go on', async () => {
    await database.sql('alter table coffees alter status type json using to_json(status)');
    await using poller = await start();
    await scrape();
    const problem = 'could not identify an equality operator for type json';
    await waitFor(async () => ((await poller.own('errors{query="scrape_pipeline.coffees",reason="other"}')) ?? 0) > 1, {
      what: 'two polls that give nothing',
    });
    for (const metric of metricsOfRoasters) if (metric !== 'coffees') await has(poller, `${metric}{`, 'roaster=blue');
    expect([...poller.series.keys()].filter((key) => key.startsWith('coffees{'))).toEqual([]);
    expect(poller.log.filter(({ msg }) => msg === 'Query failed')).toMatchObject([
      { query: 'scrape_pipeline.coffees', err: { message: expect.stringContaining(problem) } },
    ]);
    const found = await findingsOf(dbPollerReceiver(builtInPacks), {
      datasource: database.pollerUrl,
      storage: 'file_storage',
      packs,
    });
    expect(found.filter(({ severity }) => severity === 'error')).toMatchObject([
      { what: expect.stringContaining(`scrape_pipeline.coffees returns no points: query failed: ${problem}`) },
    ]);
  });
});

function has(poller: PollerUnderTest, prefix: string, label: string): Promise<unknown> {
  const isIt = ([key, value]: [string, unknown]): boolean =>
    value !== undefined && key.startsWith(prefix) && key.includes(label);
  return waitFor(() => [...poller.series].some(isIt), { what: `${prefix} with ${label}` });
}

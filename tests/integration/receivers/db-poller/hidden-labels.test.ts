import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const started = (roaster: string): string => `scrape.runs.started{${roaster}}`;
const blue = 'platform=shopify,roaster=blue';
const RUN_OF_BLUE = 'insert into scrape_runs (source_id) select id from product_sources';

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres();
  await database.sql(`
    with roaster as (insert into roasters (name, slug, platform) values ('Blue', 'blue', 'shopify') returning id)
    insert into product_sources (roaster_id, base_url, platform, products_endpoint)
    select id, 'http://blue', 'shopify', '/p' from roaster;
    create policy reads on roasters for select to ${database.pollerRole} using (true);
    alter table roasters enable row level security`);
});
afterAll(() => database[Symbol.asyncDispose]());

it('lets rows wait while row level security hides their roaster, and counts rows that never had one', async () => {
  await using poller = await PollerUnderTest.start({
    datasource: database.pollerUrl,
    packs: { scrape_pipeline: {} },
  });
  const shows = async (key: string, value: number): Promise<void> => {
    await waitFor(() => poller.series.get(key) === value, { what: `${key} to be ${value}` });
  };
  await poller.hasBegunToCount();
  await database.sql(`${RUN_OF_BLUE}; insert into scrape_runs default values`);
  await shows(started(blue), 1);
  await shows(started('platform=other,roaster=unknown'), 1);
  await database.sql(`drop policy reads on roasters; ${RUN_OF_BLUE}`);
  await waitFor(async () => (await poller.failures('permission')) > 0, { what: 'the error of the query' });
  expect(poller.logText).toContain('siphon doctor --sql');
  await database.sql('alter table roasters disable row level security');
  await shows(started(blue), 2);
  await shows(started('platform=other,roaster=unknown'), 1);
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { latestRuns } from '../../../../src/packs/scrape-pipeline/queries/latest-runs.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';

const kinds = [
  { name: 'ok', condition: `status = 'ok'` },
  { name: 'full', condition: `status = 'ok' and stats_json ->> 'job_type' is distinct from 'price_only'` },
  { name: 'fail', condition: `status = 'fail'` },
];

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres();
  await database.sql(`
    select setseed(0.5);
    insert into roasters (name, slug, platform) select 'r', 'r' || n, 'custom' from generate_series(1, 20) n;
    insert into product_sources (roaster_id, base_url, platform, products_endpoint)
      select id, 'u', platform, 'p' from roasters;
    insert into scrape_runs (source_id, started_at, finished_at, status, stats_json)
      select case when random() < 0.9 then source.id end, start, case when random() < 0.8 then start + random() * interval '3 hours' end,
             (array['ok', 'partial', 'fail', null])[1 + floor(random() * 4)]::run_status_enum,
             (array['{"job_type": "full"}', '{"job_type": "price_only"}', '{}', null])[1 + floor(random() * 4)]::jsonb
      from (select id, row_number() over (order by slug) as number
            from product_sources join (select id as roaster_id, slug from roasters) r using (roaster_id)) source,
           lateral (select now() - random() * interval '9 days' as start from generate_series(1, source.number % 7)) run`);
});
afterAll(() => database[Symbol.asyncDispose]());

it('finds the same runs by index and without one', async () => {
  const found = await ask(true);
  expect(found).toEqual(await ask(false));
  expect(found.length).toBeGreaterThan(20);
  expect(found.at(-1)).toMatchObject({ source_id: null });
});

it('takes the run that started last, of those that have finished', async () => {
  const wrong = await database.sql(`
    select 1 from (${latest(true)}) latest join scrape_runs run on run.source_id = latest.source_id
    where latest.kind = 'ok' and run.status = 'ok' and run.finished_at is not null and run.started_at > latest.started_at`);
  expect(wrong).toEqual([]);
});

function latest(isIndexed: boolean): string {
  return latestRuns({ table: (name) => name, has: () => true, hasIndex: () => isIndexed }, kinds);
}

async function ask(isIndexed: boolean): Promise<unknown[]> {
  return await database.sql(`select * from (${latest(isIndexed)}) run order by source_id, kind`);
}

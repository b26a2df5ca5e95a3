import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const orders = { kind: 'counter', table: 'shop.orders' };
const queries = [
  { ...orders, name: 'orders', metric_name: 'orders' },
  { ...orders, name: 'paid', metric_name: 'orders.paid', labels: ['country'], where: 'paid_at is not null' },
  {
    ...orders,
    name: 'amounts',
    kind: 'histogram',
    metric_name: 'amount',
    where: 'paid_at is not null',
    value_column: 'amount',
    buckets: [10, 100],
    time_column: 'created_at',
  },
  { name: 'queue', kind: 'gauge', metric_name: 'queue', sql: 'select country, count(*) as n from shop.orders group by country', value_column: 'n', labels: ['country'] }, // prettier-ignore
  { ...orders, name: 'nowhere', metric_name: 'nowhere', table: 'shop.nowhere' },
  { ...orders, name: 'odd', metric_name: 'odd', labels: ['tags'] },
];

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres();
  await database.sql(`
    create schema shop;
    create table shop.orders (shop int, number int, country text, amount numeric, tags jsonb, paid_at timestamptz,
                              created_at timestamptz not null default now(), primary key (shop, number));
    insert into shop.orders (shop, number, country, amount) values (1, 1, 'FR', 5)`);
});
afterAll(() => database[Symbol.asyncDispose]());

it('counts the rows of a user\u2019s table as exactly as its own, by a key of two columns', async () => {
  await using poller = await PollerUnderTest.start({
    datasource: database.url,
    queries,
  });
  await waitFor(() => poller.series.get('orders{}') === 0, { what: 'the counter at 0' });
  for (const name of ['paid', 'amounts', 'odd'])
    await waitFor(async () => (await poller.own(`query_duration_seconds_count{query="${name}"}`)) !== undefined, {
      what: `the baseline of ${name}`,
    });
  await database.sql(`insert into shop.orders (shop, number, country, amount, tags)
    select 2, n, case when n <= 3 then 'DE' end, n * 20, '{"a": 1}' from generate_series(1, 5) n`);
  await database.sql('update shop.orders set paid_at = now()');
  await database.sql('update shop.orders set amount = amount + 1');
  await shows(poller, 'orders{}', 5);
  await shows(poller, 'orders.paid{country=FR}', 1);
  await shows(poller, 'orders.paid{country=DE}', 3);
  await shows(poller, 'orders.paid{country=unknown}', 2);
  await shows(poller, 'amount_count{}', 6);
  await shows(poller, 'queue{country=DE}', 3);
  await waitFor(() => [...poller.series.keys()].some((key) => key.startsWith('odd{tags={"a": 1}')), {
    what: 'a label of another type, as text',
  });
  expect(await poller.own('errors{query="nowhere",reason="missing_table"}')).toBeGreaterThan(0);
  expect(await poller.own('errors{query="orders",reason="other"}')).toBeUndefined();
});

describe('a user\u2019s query that is at fault', () => {
  const jobs = { kind: 'counter', table: 'shop.jobs' };
  const sessions: Client[] = [];
  const everyJob = { ...jobs, name: 'jobs', metric_name: 'jobs' };

  beforeEach(async () => {
    await database.sql(`
      create table shop.jobs (id int primary key generated always as identity, state text not null default 'due');
      create table shop.brake ();
      create function shop.is_due(state text) returns boolean language plpgsql immutable as $$ begin
        if exists (select from shop.brake) then perform pg_sleep(60); end if;
        return state = 'due';
      end $$;
      insert into shop.jobs select from generate_series(1, 2)`);
  });
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.end()));
    await database.sql('drop table shop.jobs, shop.brake; drop function shop.is_due');
  });

  it('is stopped at its timeout when it hangs, counted by name and without a number, while the others go on, and has lost nothing after', async () => {
    const brake = (): Promise<unknown> => database.sql('insert into shop.brake default values');
    const release = (): Promise<unknown> => database.sql('delete from shop.brake');
    await brake();
    await using poller = await PollerUnderTest.start({
      datasource: database.url,
      reconcile_timeout: '300ms',
      queries: [everyJob, { timeout: '300ms', ...jobs, name: 'due', metric_name: 'due', where: 'shop.is_due(state)' }],
    });
    const timeouts = async (): Promise<number> => (await poller.own('errors{query="due",reason="timeout"}')) ?? 0;
    const stoppedAgain = async (): Promise<void> => {
      const before = await timeouts();
      await waitFor(async () => (await timeouts()) > before, { what: 'one that is stopped' });
    };
    // Before it knows what there was.
    await stoppedAgain();
    await insert(1);
    await shows(poller, 'jobs{}', 1);
    expect(poller.series.has('due{}')).toBe(false);
    await release();
    await shows(poller, 'due{}', 0);
    // While it counts.
    await insert(1);
    await shows(poller, 'due{}', 1);
    await brake();
    await insert(3);
    await stoppedAgain();
    await shows(poller, 'jobs{}', 5);
    expect(poller.series.get('due{}')).toBeUndefined();
    const [running] = await database.sql(`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and state = 'active' and now() - xact_start > interval '2 s'`);
    expect(running).toEqual({ count: 0 });
    expect(await poller.own('errors{query="jobs",reason="timeout"}')).toBe(0);
    expect(poller.log).toContainEqual(expect.objectContaining({ msg: 'Query failed', query: 'due' }));
    await release();
    await shows(poller, 'due{}', 4);
  });

  it('does not wait for a lock beyond lock_timeout, reports it, and has lost no row when the lock is gone', async () => {
    await using poller = await PollerUnderTest.start({
      datasource: database.url,
      timeout: '60s',
      lock_timeout: '200ms',
      queries: [
        { ...everyJob, collection_interval: '500ms' },
        { name: 'queue', kind: 'gauge', metric_name: 'queue', sql: 'select count(*) as n from shop.orders', value_column: 'n' }, // prettier-ignore
      ],
    });
    await shows(poller, 'jobs{}', 0);
    await insert(1);
    await shows(poller, 'jobs{}', 1);
    const locker = new Client({ connectionString: database.url });
    sessions.push(locker);
    await locker.connect();
    // In one statement, without a poll between: the inserted rows are waiting when the table is locked.
    await locker.query(`begin; insert into shop.jobs default values; commit;
      begin; lock table shop.jobs in access exclusive mode`);
    const timeouts = (): Promise<number | undefined> => poller.own('errors{query="jobs",reason="lock_timeout"}');
    await waitFor(async () => ((await timeouts()) ?? 0) > 0, { what: 'one that gives up', timeoutMs: 5000 });
    await waitFor(() => poller.series.get('jobs{}') === undefined, { what: 'the retraction' });
    await database.sql('insert into shop.orders (shop, number) select 3, max(number) + 1 from shop.orders');
    const [entered] = await database.sql('select count(*)::int as count from shop.orders');
    await shows(poller, 'queue{}', Number(entered!['count']));
    expect(poller.log.filter(({ msg, query }) => msg === 'Query failed' && query === 'jobs')).toMatchObject([
      { err: { message: expect.stringContaining('waited longer than lock_timeout') } },
    ]);
    await locker.query('insert into shop.jobs default values');
    await locker.query('commit');
    await insert(1);
    await shows(poller, 'jobs{}', 4);
    expect(await poller.own('errors{query="queue",reason="lock_timeout"}')).toBe(0);
    expect(poller.said('Query succeeds again')).toBe(1);
  });

  it('is one log line, without a stack, that has the words of the server once', async () => {
    const gauge = { kind: 'gauge', value_column: 'n' };
    await using poller = await PollerUnderTest.start({
      datasource: database.url,
      queries: [
        { ...gauge, name: 'typo', metric_name: 'typo', sql: 'select cuont(*) as n from shop.orders' },
        { ...jobs, name: 'gone', metric_name: 'gone', where: 'colour is null' },
      ],
    });
    const failed = (): Record<string, unknown>[] => poller.log.filter(({ msg }) => msg === 'Query failed');
    await expect.poll(() => failed().length, { timeout: 20_000 }).toBe(2);
    for (const [query, words] of Object.entries({
      typo: 'function cuont() does not exist',
      gone: 'column "colour" does not exist',
    })) {
      // prettier-ignore
      const line = JSON.stringify(failed().find((one) => one['query'] === query));
      expect(line.split(words.replaceAll('"', String.raw`\"`)).length - 1, line).toBe(1);
      expect(line).not.toContain('"stack"');
    }
  });

  it('reports tables that its role may not read, counts as soon as it may, and does not disturb others', async () => {
    await database.sql(`create role siphon_test_clerk login password 'secret';
      grant usage on schema shop to siphon_test_clerk; grant select on shop.orders to siphon_test_clerk`);
    const datasource = Object.assign(new URL(database.url), { username: 'siphon_test_clerk', password: 'secret' }).href;
    await using poller = await PollerUnderTest.start({
      datasource,
      queries: [
        everyJob,
        { ...jobs, name: 'orders', metric_name: 'orders', table: 'shop.orders' },
        { ...jobs, name: 'later', metric_name: 'later', table: 'shop.later' },
      ],
    });
    const failed = (name: string, reason: string): Promise<unknown> =>
      waitFor(async () => ((await poller.own(`errors{query="${name}",reason="${reason}"}`)) ?? 0) > 0, {
        what: `${reason} of ${name}`,
      });
    await failed('jobs', 'permission');
    await failed('later', 'missing_table');
    expect(poller.logText).toContain('grant select on shop.jobs to siphon_test_clerk');
    await shows(poller, 'orders{}', 0);
    expect([...poller.series.keys()]).toEqual(['orders{}']);
    await database.sql(`create table shop.later (id int primary key);
      insert into shop.later values (1);
      grant select on shop.jobs, shop.later to siphon_test_clerk`);
    await shows(poller, 'jobs{}', 0);
    await shows(poller, 'later{}', 0);
    await insert(2);
    await database.sql('insert into shop.later values (2), (3), (4)');
    await shows(poller, 'jobs{}', 2);
    await shows(poller, 'later{}', 3);
    await poller.shutdown();
    await database.sql('drop owned by siphon_test_clerk; drop role siphon_test_clerk; drop table shop.later');
  });

  it('names columns of any type as the database writes them, and accepts only numbers as numbers', async () => {
    await database.sql(`create table shop.odd (
      id int primary key, day date, span interval, flag boolean, share numeric(5, 2), raw bytea, tags jsonb, parts text[],
      weight float8, size text)`);
    const odd = { table: 'shop.odd', labels: ['day', 'flag', 'parts', 'raw', 'share', 'span', 'tags', 'weight'] };
    await using poller = await PollerUnderTest.start({
      datasource: database.url,
      queries: [
        { ...odd, name: 'odd', kind: 'counter', metric_name: 'odd' },
        { name: 'odd_now', kind: 'gauge', metric_name: 'odd.now', sql: `select *, id as n from shop.odd where id = 7`, value_column: 'n', labels: odd.labels }, // prettier-ignore
        { name: 'days', kind: 'gauge', metric_name: 'days', sql: 'select day, id as n from shop.odd', value_column: 'day', labels: ['n'] }, // prettier-ignore
        {
          ...odd,
          name: 'sizes',
          kind: 'histogram',
          metric_name: 'size',
          value_column: 'size',
          buckets: [1],
          labels: [],
        },
      ],
    });
    await shows(poller, 'size_count{}', 0);
    await waitFor(async () => (await poller.own('query_duration_seconds_count{query="odd"}')) !== undefined, {
      what: 'the baseline',
    });
    await database.sql(`insert into shop.odd
      select n, '2026-03-01', '90 min', true, 1.50, '\\x00ff', '{"a": [1]}', '{x,y}', 'NaN', (array[null, '', ' ', 'abc', 'Infinity', '[]', '7'])[n]
      from generate_series(1, 7) n`);
    await shows(poller, 'size_count{}', 1);
    const written = String.raw`{day=2026-03-01,flag=true,parts={x,y},raw=\x00ff,share=1.50,span=01:30:00,tags={"a": [1]},weight=NaN}`;
    await shows(poller, `odd${written}`, 7);
    await shows(poller, `odd.now${written}`, 7);
    expect(await poller.own('dropped_points{query="sizes",reason="not_a_number"}')).toBe(5);
    await waitFor(async () => ((await poller.own('dropped_points{query="days",reason="not_a_number"}')) ?? 0) >= 7, {
      what: 'dates that are not numbers',
    });
    expect([...poller.series.keys()].filter((key) => key.startsWith('days'))).toEqual([]);
    await database.sql('drop table shop.odd');
  });

  it('shows ten thousand values of a label as a hundred and the rest together', async () => {
    await using poller = await PollerUnderTest.start({
      datasource: database.url,
      queries: [{ ...everyJob, labels: ['state'] }],
    });
    await waitFor(async () => (await poller.own('query_duration_seconds_count{query="jobs"}')) !== undefined, {
      what: 'the baseline',
    });
    await database.sql(`insert into shop.jobs (state) select n::text from generate_series(1, 10000) n`);
    // The state of the existing rows is one of the hundred.
    await shows(poller, 'jobs{state=other}', 9901);
    expect(poller.series.get('jobs{state=due}')).toBe(0);
    expect([...poller.series].filter(([key, value]) => key.startsWith('jobs{') && value === 1)).toHaveLength(99);
    expect(poller.series.size).toBe(101);
    expect(await poller.own('replaced_label_values{query="jobs",label="state",reason="budget"}')).toBe(9901);
  });
});

async function insert(count: number): Promise<void> {
  await database.sql(`insert into shop.jobs (state) select 'due' from generate_series(1, ${count})`);
}

async function shows(poller: PollerUnderTest, key: string, value: number): Promise<void> {
  await waitFor(() => poller.series.get(key) === value, {
    what: `${key} to be ${value}, which is ${String(poller.series.get(key))}`,
  });
}

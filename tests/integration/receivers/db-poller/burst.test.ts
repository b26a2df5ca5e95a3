import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { counting, RESTARTED, shows, staysAt } from './counter-under-test.ts';
import { PollerUnderTest } from './poller-under-test.ts';
import { MemoryExtension } from './memory-extension.ts';

/** More than ten batches, so that they are not sorted for each batch. */
const BURST = 130_000;
const query = { table: 'public.orders', time_column: 'created_at' };

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres({ schema: false, parameters: { wal_writer_delay: '10ms' } });
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.sql(`
    drop table if exists orders;
    create table orders (id bigint generated always as identity primary key, created_at timestamptz default now(), state int);
    create index on orders (created_at);
    insert into orders (state) select 0 from generate_series(1, 5000)`);
});

const insert = async (rows: number, age = '0 s'): Promise<unknown> =>
  await database.sql(
    `insert into orders (created_at) select now() - interval '${age}' from generate_series(1, ${rows})`,
  );

it('continues to remember existing rows after a restart, and rows that are updated meanwhile', async () => {
  await database.sql(`insert into orders (state) select 0 from generate_series(1, ${BURST})`);
  const extensions = { storage: new MemoryExtension() };
  const config = { datasource: database.url, storage: 'storage', queries: [{ name: 'orders', kind: 'counter', metric_name: 'orders', ...query }] }; // prettier-ignore
  const space = await extensions.storage.space({ kind: 'receiver', id: 'db_poller' });
  const progress = async (): Promise<number> => {
    const bytes = (await space.get(['baseline/orders'])).get('baseline/orders');
    return bytes === undefined ? 0 : (JSON.parse(Buffer.from(bytes).toString()) as { block: number }).block;
  };
  {
    await using poller = await PollerUnderTest.start(config, undefined, extensions);
    await waitFor(async () => (await progress()) > 0, { what: `a step ${poller.logText}` });
  }
  await database.sql('update orders set state = 1 where id % 100 = 0');
  await using poller = await counting(database.url, query, { storage: 'storage' }, extensions);
  expect(await progress()).toBe(0);
  await database.sql('update orders set state = 2 where id % 50 = 0; insert into orders (state) values (1), (2), (3)');
  await staysAt(poller, 3);
});

it.each([
  ['with keys', {}],
  ['without keys', { append_only: true }],
])('counts a burst of one transaction once, %s, while others write', async (_, how) => {
  const extensions = { storage: new MemoryExtension() };
  const settings = { storage: 'storage', reconcile_interval: '200ms' };
  {
    await using poller = await counting(database.url, { ...query, ...how }, settings, extensions);
    await insert(BURST);
    await insert(10);
    const counted = (): number => poller.series.get('orders{}') ?? 0;
    const backlog = async (): Promise<number> => (await poller.own('backlog_rows{query="orders"}')) ?? 0;
    // A fast machine counts everything between two looks.
    await waitFor(async () => counted() >= BURST || (await backlog()) > 1000, { what: 'a backlog' });
    await waitFor(() => counted() > 10, { what: 'the first batch' });
    await insert(7, '5 h');
  }
  // Another process continues where it was.
  await insert(3);
  await using poller = await counting(database.url, { ...query, ...how }, settings, extensions);
  await staysAt(poller, BURST + 20);
  expect(await poller.own('backlog_rows{query="orders"}')).toBe(0);
  expect(poller.said(RESTARTED)).toBe(0);
});

it('with keys, counts a burst once although its table is written again meanwhile', async () => {
  await using poller = await counting(database.url, query);
  await insert(BURST);
  await waitFor(() => (poller.series.get('orders{}') ?? 0) > 10, { what: 'the first batch' });
  await database.sql('vacuum full orders');
  await database.sql('update orders set state = 1 where id % 100 = 0');
  await staysAt(poller, BURST);
  expect(poller.said(RESTARTED)).toBe(0);
});

describe('rows that take long to read', () => {
  beforeEach(async () => {
    await database.sql(`
      drop function if exists slowly;
      create function slowly(int) returns boolean language plpgsql immutable as $$ begin perform pg_sleep(0.001); return true; end $$`);
  });

  it('are counted in smaller parts, if they are not read in time together', async () => {
    await database.sql(
      'drop table orders; create table orders (id bigint generated always as identity primary key, state int) with (fillfactor = 10)',
    );
    await using poller = await counting(
      database.url,
      { table: 'public.orders', where: 'slowly(state)' },
      { timeout: '250ms' },
    );
    await database.sql('insert into orders (state) select n from generate_series(1, 400) n');
    await staysAt(poller, 400);
    expect(await poller.own('errors{query="orders",reason="timeout"}')).toBeGreaterThan(5);
  }, 40_000);

  it.each([
    ['with keys', {}],
    ['without keys', { append_only: true }],
  ])('make siphon read the whole table early, so that fewer rows are recent, %s', async (_, how) => {
    await database.sql('truncate orders');
    await using poller = await counting(database.url, { ...query, where: 'slowly(state)', ...how });
    // Long before the next reading of the whole table, which is an hour away.
    await insert(3, '5 h');
    await insert(200);
    await staysAt(poller, 203);
    await insert(1);
    // Not recent any more: it waits for the next reading.
    await insert(1, '10 min');
    await insert(200);
    await shows(poller, 404);
    expect(await poller.own('backlog_rows{query="orders"}')).toBe(0);
    expect(poller.said(RESTARTED)).toBe(0);
  });
});

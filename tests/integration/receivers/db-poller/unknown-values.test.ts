import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const ofOwn = ['backlog_rows{query="orders"}', 'uncounted_inserts{query="orders"}', 'horizon_lag_seconds'];
const orders = { name: 'orders', kind: 'counter', metric_name: 'orders', table: 'public.orders', time_column: 'at' };

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres({ schema: false, parameters: { wal_writer_delay: '10ms' } });
  await database.sql(`
    create table orders (id bigint generated always as identity primary key, at timestamptz default now());
    create table stock (id bigint primary key) with (autovacuum_enabled = off);
    insert into stock select generate_series(1, 3000); analyze stock`);
});
afterAll(() => database[Symbol.asyncDispose]());

const start = async (config: Record<string, unknown>): Promise<PollerUnderTest> =>
  await PollerUnderTest.start({
    datasource: database.url,
    leader_election: { enabled: false },
    timeout: '500ms',
    connect_timeout: '500ms',
    ...config,
  });

it.runIf(process.env['SIPHON_TEST_POSTGRES_URL'] === undefined)(
  'omits the backlog, the lag and the uncounted rows while the database is down, and shows them again',
  async () => {
    await using poller = await start({ queries: [orders], reconcile_interval: '100ms' });
    const known = async (): Promise<boolean[]> =>
      await Promise.all(ofOwn.map(async (name) => (await poller.own(name)) !== undefined));
    await waitFor(() => poller.series.get('orders{}') === 0, { what: 'the baseline' });
    await database.sql('insert into orders select from generate_series(1, 5)');
    await expect.poll(known, { timeout: 9000 }).toEqual([true, true, true]);
    await database.server!.pause();
    await expect.poll(known, { timeout: 9000 }).toEqual([false, false, false]);
    await database.server!.resume();
    await expect.poll(known, { timeout: 20_000 }).toEqual([true, true, true]);
  },
);

it.runIf(process.env['SIPHON_TEST_POSTGRES_URL'] === undefined)(
  'omits the rows of a table after a crash, until PostgreSQL has read the table again',
  async () => {
    await using poller = await start({ packs: { postgres_health: { tables: ['public.stock'], queries: { tables: { collection_interval: '100ms' } } } } }); // prettier-ignore
    const live = (): number | undefined => poller.series.get('database.table.rows{state=live,table=public.stock}');
    await expect.poll(live, { timeout: 9000 }).toBe(3000);
    const victim = new Client({ connectionString: database.url });
    victim.on('error', () => undefined);
    await victim.connect();
    const { rows } = await victim.query<{ pid: number }>('select pg_backend_pid() as pid');
    process.kill(rows[0]!.pid, 'SIGKILL');
    const size = (): number | undefined => poller.series.get('database.table.size{table=public.stock}');
    await expect.poll(live, { timeout: 9000 }).toBeUndefined();
    await expect.poll(size, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(live()).toBeUndefined();
    await database.sql('insert into stock values (-1)');
    await database.sql('select pg_stat_force_next_flush()').catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(live()).toBeUndefined();
    await database.sql('analyze stock');
    await expect.poll(live, { timeout: 9000 }).toBe(3001);
  },
);

it('omits the uncounted rows where not every row counts, and while the statistics have fewer', async () => {
  await database.sql('create table jobs (id bigint generated always as identity primary key, at timestamptz default now(), done boolean)'); // prettier-ignore
  const jobs = { ...orders, table: 'public.jobs' };
  const queries = [
    { ...jobs, name: 'all', metric_name: 'all' },
    { ...jobs, name: 'done', metric_name: 'done', where: 'done' },
    { ...jobs, name: 'logged', metric_name: 'logged', where: 'done', append_only: true },
  ];
  await using poller = await start({ queries, reconcile_interval: '100ms' });
  const uncounted = async (query: string): Promise<number | undefined> => await poller.own(`uncounted_inserts{query="${query}"}`); // prettier-ignore
  await waitFor(() => queries.every(({ name }) => poller.series.get(`${name}{}`) === 0), { what: 'the baselines' });
  await database.sql('begin; insert into jobs select from generate_series(1, 3); rollback');
  await database.sql('insert into jobs (done) values (true), (false), (null)');
  await expect.poll(() => poller.series.get('done{}'), { timeout: 9000 }).toBe(1);
  await expect
    .poll(async () => [poller.series.get('all{}'), await uncounted('all')], { timeout: 20_000 })
    .toEqual([3, 3]);
  await database.sql(`select pg_stat_reset_single_table_counters('jobs'::regclass)`);
  await database.sql('insert into jobs (done) values (true)');
  await expect.poll(() => poller.series.get('all{}'), { timeout: 9000 }).toBe(4);
  await expect.poll(async () => await uncounted('all'), { timeout: 20_000 }).toBeUndefined();
  expect([await uncounted('done'), await uncounted('logged')]).toEqual([undefined, undefined]);
});

it('counts a query that transaction_timeout ends as a timeout', async (test) => {
  const [version] = await database.sql(`select current_setting('server_version_num')::int as number`);
  if (Number(version!['number']) < 170_000) test.skip('PostgreSQL 17 introduced transaction_timeout');
  await database.sql(`alter role ${database.pollerRole} set transaction_timeout = '100ms'`);
  const sleep = { name: 'sleep', kind: 'gauge', metric_name: 'sleep', sql: 'select 1 as n from pg_sleep(2)', value_column: 'n' }; // prettier-ignore
  await using poller = await start({ datasource: database.pollerUrl, timeout: '5s', queries: [sleep] });
  await waitFor(async () => ((await poller.own('errors{query="sleep",reason="timeout"}')) ?? 0) > 0, {
    what: 'the timeout',
  });
});

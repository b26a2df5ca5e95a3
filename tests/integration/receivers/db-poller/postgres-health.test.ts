import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionStates } from '../../../../src/packs/postgres-health/metrics.ts';
import { groups } from '../../../../src/packs/postgres-health/groups/index.ts';
import { Secret } from '../../../../src/engine/schema/secret.ts';
import { ReadOnlyPool, type Row } from '../../../../src/postgres/read-only-pool.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

/** Autovacuum never comes, and only checksums show damage. */
const ABSENT_AT_FIRST = new Set(['database.table.autovacuum.age', 'database.checksum.failures']);
const often = { collection_interval: '200ms' };
const tables = ['public.prices', 'public.parts', 'Odd.Na.me', 'public.nowhere'];

describe('the pack postgres_health', () => {
  let database: TestPostgres;
  beforeAll(async () => {
    database = await startTestPostgres();
    await database.sql(`
      create table parts (n int, filler text) partition by range (n);
      create table parts_low partition of parts for values from (0) to (100);
      create table parts_high partition of parts for values from (100) to (200);
      create index on parts (n);
      create schema "Odd"; create table "Odd"."Na.me" (n int);
      insert into parts select n, repeat('x', 1000) from generate_series(0, 199) n`);
    await database.sql('delete from parts where n < 10');
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const start = (datasource = database.url): Promise<PollerUnderTest> =>
    PollerUnderTest.start({
      datasource,
      // With more, it would now and then see itself.
      max_connections: 1,
      // Its session would be one more that is idle.
      leader_election: { enabled: false },
      packs: { postgres_health: { tables, top_tables: 0, queries: { size: often, tables: often } } },
    });

  const client = async (): Promise<Client & AsyncDisposable> => {
    const opened = new Client({ connectionString: database.url });
    await opened.connect();
    return Object.assign(opened, { [Symbol.asyncDispose]: async () => await opened.end() });
  };

  it('has a point for every metric of the groups that every server has', async () => {
    await using poller = await start();
    const always = [groups.server, groups.activity, groups.locks, groups.statistics, groups.size, groups.tables];
    const names = always
      .flatMap(({ metrics }) => Object.values(metrics))
      .map(({ name }) => name)
      .filter((name) => !ABSENT_AT_FIRST.has(name));
    await waitFor(() => names.every((name) => keysOf(poller, name).length > 0), { what: names.join(', ') });
    expect(poller.series.get('database.locks.waiting{}')).toBe(0);
    expect(poller.series.get('database.deadlocks{}')).toBe(0);
    expect(poller.series.get('database.is_standby{}')).toBe(0);
    // Before PostgreSQL 15, statistics arrive a while later.
    for (const series of ['database.transactions{outcome=commit}', 'database.blocks{found_in=cache}'])
      await expect.poll(() => poller.series.get(series), { timeout: 20_000 }).toBeGreaterThan(0);
    const [truth] = await database.sql(`
      select pg_database_size(current_database())::float8 as size, current_setting('server_version_num')::int as version,
             (select sum(setting::int) from pg_settings where name = 'max_connections')::int
             - (select sum(setting::int) from pg_settings where name in ('superuser_reserved_connections', 'reserved_connections'))::int as places`);
    expect(poller.series.get('database.connections.limit{}')).toBe(truth?.['places']);
    expect(poller.series.get('database.version{}')).toBe(truth?.['version']);
    expect(poller.series.get('database.size{}')).toBeGreaterThan(Number(truth?.['size']) * 0.9);
    expect(await poller.failures('other')).toBe(0);
  });

  it('reports the activity of the sessions', async () => {
    await using writer = await client();
    await using waiting = await client();
    await using _ = await client();
    await using poller = await start();
    await waitFor(() => stateOf(poller, 'idle') === 3, { what: 'three idle sessions' });
    const states = keysOf(poller, 'database.connections').toSorted();
    expect(states).toEqual(connectionStates.map((state) => `database.connections{state=${state}}`).toSorted());
    expect(poller.series.get('database.transaction.longest{}')).toBe(0);
    expect(poller.series.get('database.idle_in_transaction.longest{}')).toBe(0);
    expect(poller.series.get('database.xmin.age{}')).toBe(0);

    await writer.query('begin; lock table roasters; select pg_current_xact_id()');
    const blocked = waiting.query('select count(*) from roasters');
    await waitFor(() => poller.series.get('database.locks.waiting{}') === 1, { what: 'the lock' });
    await waitFor(() => stateOf(poller, 'idle_in_transaction') === 1 && stateOf(poller, 'active') === 1, {
      what: 'the states',
    });
    expect(poller.series.get('database.connections.active{}')).toBe(1);
    expect(poller.series.get('database.connections.used{}')).toBeGreaterThanOrEqual(4);
    await waitFor(() => Number(poller.series.get('database.idle_in_transaction.longest{}')) > 1, { what: 'its age' });
    expect(poller.series.get('database.transaction.longest{}')).toBeGreaterThan(1);
    for (let i = 0; i < 5; i++) await database.sql('select pg_current_xact_id()');
    await waitFor(() => Number(poller.series.get('database.xmin.age{}')) > 5, { what: 'the age of its snapshot' });
    await writer.query('rollback');
    await blocked;
    await waitFor(() => poller.series.get('database.xmin.age{}') === 0, { what: 'the end of the transaction' });
    expect(poller.series.get('database.transaction.longest{}')).toBe(0);
  });

  it('gives a role without pg_monitor what it can know, and no number for what it cannot', async () => {
    await database.sql(`create role siphon_test_blind login password 'secret'`);
    await using _ = await client();
    const datasource = Object.assign(new URL(database.url), { username: 'siphon_test_blind', password: 'secret' }).href;
    {
      await using poller = await start(datasource);
      const known = ['connections.limit', 'locks.waiting', 'transactions', 'size', 'table.rows', 'freeze.age'];
      await waitFor(() => known.every((name) => keysOf(poller, `database.${name}`).length > 0), {
        what: String(known),
      });
      const hidden = ['connections', 'connections.active', 'connections.used', 'transaction.longest', 'xmin.age'];
      expect(hidden.flatMap((name) => keysOf(poller, `database.${name}`))).toEqual([]);
      expect(keysOf(poller, 'database.idle_in_transaction.longest')).toEqual([]);
      await database.sql('grant pg_monitor to siphon_test_blind');
      await waitFor(() => hidden.every((name) => keysOf(poller, `database.${name}`).length > 0), { what: 'all of it' });
    }
    await database.sql('drop role siphon_test_blind');
  });

  it('measures the tables that are named and no other, all partitions of one together', async () => {
    await using poller = await start();
    const parts = 'table=public.parts';
    await waitFor(() => poller.series.get(`database.table.rows{state=dead,${parts}}`) === 10, { what: 'dead rows' });
    expect(poller.series.get(`database.table.rows{state=live,${parts}}`)).toBe(190);
    const [truth] = await database.sql(
      `select sum(pg_table_size(relid))::int as size, sum(pg_indexes_size(relid))::int as indexes from pg_partition_tree('parts') where isleaf`,
    );
    expect(poller.series.get(`database.table.size{${parts}}`)).toBe(truth?.['size']);
    expect(poller.series.get(`database.table.indexes.size{${parts}}`)).toBe(truth?.['indexes']);
    expect(poller.series.get(`database.table.freeze.age{${parts}}`)).toBeGreaterThan(0);
    const named = keysOf(poller, 'database.table.size').map((key) =>
      key.slice('database.table.size{table='.length, -1),
    );
    expect(named.toSorted()).toEqual(['Odd.Na.me', 'public.parts', 'public.prices']);
    await database.sql('drop table "Odd"."Na.me"');
    await waitFor(() => keysOf(poller, 'database.table.size').length === 2, { what: 'the retraction' });
  });

  it('logs missing tables once', async () => {
    await using poller = await start();
    const sentence = 'Listed tables do not exist: they have no series';
    await waitFor(() => poller.said(sentence) === 1, { what: 'the line' });
    expect(poller.log).toContainEqual(
      expect.objectContaining({
        query: 'postgres_health.tables',
        subjects: expect.arrayContaining(['public.nowhere']),
      }),
    );
    const polled = 'query_duration_seconds_count{query="postgres_health.tables"}';
    await waitFor(async () => ((await poller.own(polled)) ?? 0) > 2, { what: 'more polls' });
    expect(poller.said(sentence)).toBe(1);
  });

  it('reports the last autovacuum', async (context) => {
    if (!database.server) return context.skip('the server of SIPHON_TEST_POSTGRES_URL is not ours to set up');
    await using poller = await start();
    await waitFor(() => keysOf(poller, 'database.table.size').length > 0, { what: 'the tables' });
    expect(keysOf(poller, 'database.table.autovacuum.age')).toEqual([]);
    await database.sql(
      'alter table parts_low set (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0)',
    );
    await database.sql(`alter system set autovacuum_naptime = '1s'`);
    await database.sql('select pg_reload_conf()');
    const age = 'database.table.autovacuum.age{table=public.parts}';
    await waitFor(() => poller.series.get(age) !== undefined, { what: 'autovacuum' });
    expect(poller.series.get(age)).toBeLessThan(10);
  });

  it('reports the start time of the counters after a reset of the statistics', async () => {
    const pool = new ReadOnlyPool({
      datasource: new Secret(database.url),
      maxConnections: 1,
      connectTimeoutMs: 5000,
      lockTimeoutMs: 1000,
      onConnect: () => undefined,
    });
    const statistics = groups.statistics.query({ tables: [], topTables: 0, statements: 0 });
    const { text } = statistics.statement({ table: (name) => name, has: () => true, hasIndex: () => false });
    const since = async (): Promise<Row | undefined> =>
      (await pool.query({ text, values: [], timeoutMs: 2000, maxRows: 100 })).rows[0];
    const before = await since();
    const [{ server_version_num: version } = {}] = await database.sql('show server_version_num');
    // Older versions note when the database was created.
    if (Number(version) >= 150_000) expect(before).toMatchObject({ [statistics.since!]: null });
    await database.sql('select pg_stat_reset()');
    await expect
      .poll(since, { timeout: 20_000 })
      .not.toMatchObject({ [statistics.since!]: before![statistics.since!] });
    expect(Number((await since())?.[statistics.since!])).toBeCloseTo(Date.now(), -5);
    await pool.close();
  });
});

/** The series of a metric that have a value now. */
function keysOf(poller: PollerUnderTest, name: string): string[] {
  return [...poller.series.entries()]
    .filter(([key, value]) => key.startsWith(`${name}{`) && value !== undefined)
    .map(([key]) => key);
}

function stateOf(poller: PollerUnderTest, state: string): number | undefined {
  return poller.series.get(`database.connections{state=${state}}`);
}

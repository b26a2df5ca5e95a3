/** Values of postgres_health that need events which take a while: deadlocks, subscriptions, conflicts, unused indexes. */
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresHealthDatabase } from '../../../../src/packs/postgres-health/database.ts';
import { startReplicatedPostgres, type ReplicatedPostgres } from '../../../support/postgres/standby.ts';
import { runSql, startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const TIMEOUT = { timeout: 30_000 };

async function polls(datasource: string, ...queries: string[]): Promise<PollerUnderTest> {
  const names = postgresHealthDatabase.names.gauges;
  const intervals = names.map((name) => [name, { collection_interval: queries.includes(name) ? '200ms' : '1h' }]);
  return await PollerUnderTest.start({
    datasource,
    leader_election: { enabled: false },
    packs: { postgres_health: { queries: Object.fromEntries(intervals) } },
  });
}

describe('on one server', () => {
  let database: TestPostgres;
  let version: number;
  beforeAll(async () => {
    database = await startTestPostgres({ schema: false, parameters: { wal_level: 'logical', autovacuum: 'off', deadlock_timeout: '50ms', wal_retrieve_retry_interval: '100ms', logical_decoding_work_mem: '64kB' } }); // prettier-ignore
    const [row] = await database.sql(`select current_setting('server_version_num')::int as number`);
    version = Number(row!['number']);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  /** Resolves when the series has the value that the catalogs have at that time, and the value is at least 1. */
  const shows = async (poller: PollerUnderTest, series: string, expression: string): Promise<void> => {
    await expect
      .poll(async () => {
        const [row] = await database.sql(`select (${expression})::float8 as value`);
        return { shown: poller.series.get(series), known: row!['value'] };
      }, TIMEOUT)
      .toSatisfy(({ shown, known }: { shown?: number; known: unknown }) => shown === known && Number(shown) >= 1);
  };

  it('shows deadlocks', async () => {
    await using poller = await polls(database.url, 'statistics');
    await database.sql('create table first (n int); create table second (n int)');
    const [one, two] = [1, 2].map(() => new Client({ connectionString: database.url })) as [Client, Client];
    await Promise.all([one.connect(), two.connect()]);
    await one.query('begin; lock table first');
    await two.query('begin; lock table second');
    const both = await Promise.allSettled([one.query('lock table second'), two.query('lock table first')]);
    expect(both.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    await Promise.all([one.end(), two.end()]);
    await shows(poller, 'database.deadlocks{}', 'select deadlocks from pg_stat_database where datname = current_database()'); // prettier-ignore
  });

  it('shows damaged pages, with data checksums', async (context) => {
    const [{ data_checksums: checksums } = {}] = await database.sql('show data_checksums');
    if (checksums !== 'on' || database.server === undefined) return context.skip();
    await database.sql('create table damaged as select generate_series(1, 1000) n; checkpoint');
    const [{ file } = {}] = await database.sql(`
      select current_setting('data_directory') || '/' || pg_relation_filepath('damaged') as file`);
    await database.server.pause();
    const pages = await open(String(file), 'r+');
    await pages.write(Buffer.alloc(16, 0x55), 0, 16, 4096);
    await pages.close();
    await database.server.resume();
    await using poller = await polls(database.url, 'statistics');
    await expect(database.sql('select count(*) from damaged')).rejects.toThrow('invalid page');
    await shows(poller, 'database.checksum.failures{}', 'select checksum_failures from pg_stat_database where datname = current_database()'); // prettier-ignore
    await database.sql('drop table damaged');
  });

  it('shows reads and writes of files by process, since PostgreSQL 16', async (context) => {
    if (version < 160_000) context.skip();
    await using poller = await polls(database.url, 'io');
    await database.sql('create table filled as select generate_series(1, 50000) n; select count(*) from filled');
    const series = 'database.io.operations{backend=client,operation=extend}';
    const ofClients = `from pg_stat_io where backend_type = 'client backend' and object <> 'wal'`;
    await shows(poller, series, `select sum(extends) ${ofClients}`);
    const bytes = version < 180_000 ? 'extends * op_bytes' : 'extend_bytes';
    await shows(poller, 'database.io{backend=client,operation=extend}', `select sum(${bytes}) ${ofClients}`);
    // track_io_timing is off, so the times are unknown.
    expect([...poller.series.keys()].filter((key) => key.startsWith('database.io.time{'))).toEqual([]);
  });

  it('shows an unused index two days after the statistics were reset, and not before', async () => {
    await database.sql(`
      create table used (a int primary key, b int, c int); create index never on used (b); create index often on used (c);
      insert into used select n, n, n from generate_series(1, 5000) n`);
    await database.sql('vacuum analyze used');
    await database.sql('select pg_stat_reset()');
    await database.sql('set enable_seqscan = off; select count(*) from used where c = 5');
    const series = 'database.index.problem{index=public.never,problem=unused}';
    {
      await using poller = await polls(database.url, 'indexes');
      await expect.poll(() => poller.series.get('database.indexes.problem{problem=duplicate}'), TIMEOUT).toBe(0);
      expect(poller.series.get('database.indexes.problem{problem=unused}')).toBeUndefined();
    }
    // For this role it is the day after tomorrow.
    await database.sql(`
      create schema later; create function later.now() returns timestamptz language sql stable
      as 'select pg_catalog.now() + interval ''2 days'''; grant usage on schema later to ${database.pollerRole};
      alter role ${database.pollerRole} set search_path = later, pg_catalog, public`);
    await using poller = await polls(database.pollerUrl, 'indexes');
    await shows(poller, series, `pg_relation_size('never')`);
    expect(poller.series.get('database.indexes.problem{problem=unused}')).toBe(1);
  });

  it('shows whether a subscription runs, and its errors', async () => {
    const name = `publisher_${Date.now()}`;
    const publisher = Object.assign(new URL(database.url), { pathname: `/${name}` }).href;
    await database.sql(`create database ${name}`);
    await runSql(publisher, 'create table followed (id int primary key); create publication everything for table followed'); // prettier-ignore
    await runSql(publisher, `select pg_create_logical_replication_slot('${name}', 'pgoutput')`);
    await database.sql('create table followed (id int primary key)');
    await database.sql(`create subscription follows connection '${publisher}' publication everything with (create_slot = false, slot_name = '${name}'${version >= 160_000 ? ', streaming = parallel' : ''})`); // prettier-ignore
    try {
      await using poller = await polls(database.url, 'subscriptions');
      const running = 'database.subscription.running{subscription=follows}';
      await expect.poll(() => poller.series.get(running), TIMEOUT).toBe(1);
      await expect.poll(() => poller.series.get('database.subscription.silence{subscription=follows}'), TIMEOUT).toBeLessThan(60); // prettier-ignore
      if (version >= 160_000) {
        const copied = `select count(*)::int as n from pg_subscription_rel where srsubstate = 'r'`;
        await expect.poll(async () => (await database.sql(copied))[0]?.['n'], TIMEOUT).toBe(1);
        const writer = new Client({ connectionString: publisher });
        writer.on('error', () => undefined);
        await writer.connect();
        const workers = 'select count(*)::int as n from pg_stat_subscription where relid is null and pid is not null';
        // PostgreSQL may not know yet that the table is copied, and then applies this transaction with one worker.
        const applied = async (): Promise<unknown> => {
          await writer.query('rollback; begin; insert into followed select generate_series(1000, 9000)');
          // The log of an open transaction is sent when it is on disk, and the switch writes it.
          await database.sql('select pg_switch_wal()');
          await delay(1000);
          return (await database.sql(workers))[0]?.['n'];
        };
        await expect.poll(applied, TIMEOUT).toBe(2);
        const polled = async (): Promise<number> => (await poller.own('query_duration_seconds_count{query="postgres_health.subscriptions"}')) ?? 0; // prettier-ignore
        const before = await polled();
        await expect.poll(polled, TIMEOUT).toBeGreaterThan(before + 1);
        expect(poller.series.get(running)).toBe(1);
        await writer.query('rollback');
        await writer.end();
      }
      await database.sql('insert into followed values (1)');
      await runSql(publisher, 'insert into followed values (1)');
      if (version >= 150_000) await shows(poller, 'database.subscription.errors{phase=apply,subscription=follows}', 'select apply_error_count from pg_stat_subscription_stats'); // prettier-ignore
      await database.sql('alter subscription follows disable');
      await expect.poll(() => poller.series.get(running), TIMEOUT).toBeUndefined();
    } finally {
      await database.sql('alter subscription follows disable');
      await database.sql('alter subscription follows set (slot_name = none)');
      await database.sql('drop subscription follows; drop table followed');
      await expect.poll(() => database.sql(`select pg_drop_replication_slot('${name}')`).catch(() => undefined), TIMEOUT).toBeDefined(); // prettier-ignore
      await database.sql(`drop database ${name} with (force)`);
    }
  });
});

describe('on a standby', () => {
  let databases: ReplicatedPostgres;
  beforeAll(async () => {
    databases = await startReplicatedPostgres({ max_standby_streaming_delay: '50ms' });
  });
  afterAll(() => databases[Symbol.asyncDispose]());

  it('shows queries that ended because they delayed the replay', async () => {
    await runSql(databases.primaryUrl, 'create table read as select 1 as n');
    await databases.replayed();
    await using poller = await polls(databases.standbyUrl, 'standby');
    const reader = new Client({ connectionString: databases.standbyUrl });
    reader.on('error', () => undefined);
    await reader.connect();
    await reader.query('begin; select * from read');
    await runSql(databases.primaryUrl, 'drop table read');
    const series = 'database.recovery.conflicts{cause=lock}';
    await expect.poll(() => poller.series.get(series), TIMEOUT).toBe(1);
    const [row] = await runSql(databases.standbyUrl, 'select confl_lock::int as n from pg_stat_database_conflicts where datname = current_database()'); // prettier-ignore
    expect(row).toEqual({ n: 1 });
    expect(poller.series.get('database.recovery.conflicts{cause=snapshot}')).toBe(0);
    await reader.end();
  });
});

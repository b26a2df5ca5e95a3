/** Each value that docs/postgres-compared.md promises: something provokes it, and it is compared with the catalogs. */
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresHealthDatabase } from '../../../../src/packs/postgres-health/database.ts';
import { startReplicatedPostgres, type ReplicatedPostgres } from '../../../support/postgres/standby.ts';
import { runSql, startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const often = Object.fromEntries(
  postgresHealthDatabase.names.gauges.map((name) => [name, { collection_interval: '300ms' }]),
);
const TIMEOUT = { timeout: 20_000 };

async function start(datasource: string): Promise<PollerUnderTest> {
  return await PollerUnderTest.start({
    datasource,
    leader_election: { enabled: false },
    packs: { postgres_health: { queries: often } },
  });
}

/** Resolves when the series has the value that the catalogs have at that time. */
async function agrees(poller: PollerUnderTest, series: string, truth: () => Promise<unknown>): Promise<void> {
  await expect.poll(async () => [series, poller.series.get(series), await truth()], TIMEOUT).toSatisfy(([, shown, known]: unknown[]) => known !== null && Number(known) === shown); // prettier-ignore
}

const ofTable = (column: string): string => `select ${column} from pg_stat_user_tables where relname = 'bloated'`;
const ofDatabase = (column: string): string => `select ${column} from pg_stat_database where datname = current_database()`; // prettier-ignore

describe('on a primary', () => {
  let database: TestPostgres;
  let poller: PollerUnderTest;
  beforeAll(async () => {
    database = await startTestPostgres({
      schema: false,
      parameters: { wal_level: 'logical', archive_mode: 'on', autovacuum: 'off' },
    });
    poller = await start(database.url);
  });
  afterAll(async () => {
    await poller.shutdown();
    await database[Symbol.asyncDispose]();
  });

  const ask = async (expression: string): Promise<unknown> =>
    (await database.sql(`select (${expression})::float8 as value`))[0]?.['value'];
  const shows = async (series: string, expression: string): Promise<void> => {
    await agrees(poller, series, async () => await ask(expression));
  };

  /** Before PostgreSQL 15, statistics arrive a while later. */
  const rises = async (series: string): Promise<void> => {
    await expect.poll(() => poller.series.get(series), TIMEOUT).toBeGreaterThan(0);
  };

  it('shows slots and the log that they keep', async () => {
    await database.sql(`select pg_create_physical_replication_slot('kept', true); select pg_create_logical_replication_slot('logical', 'test_decoding')`); // prettier-ignore
    await database.sql('create table filler as select generate_series(1, 20000) n');
    await shows('database.slots{state=inactive}', `select count(*) from pg_replication_slots where not active`);
    for (const slot of ['kept', 'logical'])
      await shows(`database.slot.retained{slot=${slot}}`, `select pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) from pg_replication_slots where slot_name = '${slot}'`); // prettier-ignore
    expect(poller.series.get('database.slot.retained{slot=kept}')).toBeGreaterThan(100_000);
    await database.sql(`select pg_drop_replication_slot(slot_name) from pg_replication_slots`);
    await expect.poll(() => poller.series.get('database.slot.retained{slot=kept}'), TIMEOUT).toBeUndefined();
  });

  it('shows two clients of the same name, which other exporters refuse to', async () => {
    const clients = [1, 2].map(() => new Client({ connectionString: `${database.url}?replication=true&application_name=walreceiver` })); // prettier-ignore
    for (const client of clients) await client.connect();
    await expect.poll(() => poller.series.get('database.replication.clients{state=startup}'), TIMEOUT).toBe(2);
    for (const client of clients) await client.end();
    expect(await poller.failures('other')).toBe(0);
  });

  const archiving = async (command: string): Promise<void> => {
    await database.sql(`alter system set archive_command = '${command}'`);
    await database.sql('select pg_reload_conf()');
    await database.sql(`create table archived_by_${command} as select 1; select pg_switch_wal()`);
  };
  const failing = 'database.wal.archive.failing{}';
  it.skipIf(process.env['SIPHON_TEST_POSTGRES_URL'] !== undefined)('shows an archive that fails and one that works', async () => {
    await archiving('false');
    await expect.poll(() => poller.series.get(failing), { timeout: 60_000 }).toBe(1);
    await shows('database.wal.archived{outcome=failed}', 'select failed_count from pg_stat_archiver');
    await archiving('true');
    await expect.poll(() => poller.series.get(failing), { timeout: 60_000 }).toBe(0);
    await shows('database.wal.archived{outcome=archived}', 'select archived_count from pg_stat_archiver');
    const age = await ask('select extract(epoch from now() - last_archived_time) from pg_stat_archiver');
    await expect.poll(() => poller.series.get('database.wal.archive.age{}'), TIMEOUT).toBeGreaterThan(age as number);
    expect(poller.series.get('database.wal.archive.age{}')).toBeLessThan((age as number) + 30);
  }, 120_000); // prettier-ignore

  it('shows indexes that are duplicate or invalid', async () => {
    await database.sql('create table indexed (a int, b int); create index one on indexed (a); create index two on indexed (a); create index broken on indexed (b); insert into indexed select n, n from generate_series(1, 5000) n'); // prettier-ignore
    await database.sql('vacuum analyze indexed');
    await database.sql(`update pg_index set indisvalid = false where indexrelid = 'broken'::regclass`);
    await shows('database.indexes.problem{problem=duplicate}', '1');
    await shows('database.indexes.problem{problem=invalid}', '1');
    await shows('database.index.problem{index=public.two,problem=duplicate}', `pg_relation_size('two')`);
    await shows('database.index.problem{index=public.broken,problem=invalid}', `pg_relation_size('broken')`);
    await database.sql('drop table indexed');
  });

  it('shows how far sequences are, by the type of their column', async () => {
    await database.sql(`create table small (id smallserial primary key); select setval('small_id_seq', 16384); create sequence down increment -1 minvalue -100 maxvalue -1; select setval('down', -75)`); // prettier-ignore
    await shows('database.sequence.used{sequence=public.small_id_seq}', '16384 / 32767.0');
    await shows('database.sequence.used{sequence=public.down}', '0.75');
    await database.sql('drop table small; drop sequence down');
  });

  it('shows the space without rows of a table, as far as it can be estimated', async () => {
    await database.sql(`create table bloated (id int primary key, filler text); insert into bloated select n, repeat('x', 200) from generate_series(1, 20000) n`); // prettier-ignore
    await database.sql('delete from bloated where id % 2 = 0');
    await database.sql('vacuum analyze bloated');
    const half = (await ask(`pg_relation_size('bloated') / 2`)) as number;
    await expect
      .poll(() => poller.series.get('database.table.bloat{table=public.bloated}'), TIMEOUT)
      .toSatisfy((bytes: number) => bytes > half * 0.9 && bytes < half * 1.1);
    await database.sql('insert into bloated select n from generate_series(100001, 101000) n; update bloated set filler = null where id < 100'); // prettier-ignore
    await shows('database.table.rows{state=live,table=public.bloated}', ofTable('n_live_tup'));
    await shows('database.table.rows{state=dead,table=public.bloated}', ofTable('n_dead_tup'));
    await shows('database.table.changes{operation=insert,table=public.bloated}', ofTable('n_tup_ins'));
    await shows('database.table.changes{operation=delete,table=public.bloated}', ofTable('n_tup_del'));
    await shows('database.table.scans{by=sequence,table=public.bloated}', ofTable('seq_scan'));
    await shows('database.table.scans{by=index,table=public.bloated}', ofTable('idx_scan'));
    await shows('database.table.size{table=public.bloated}', `pg_table_size('bloated')`);
    await shows('database.table.indexes.size{table=public.bloated}', `pg_indexes_size('bloated')`);
  });

  it('shows another database of the server, and the age of the whole server', async () => {
    const name = `other_${Date.now()}`;
    await database.sql(`create database ${name}`);
    await runSql(Object.assign(new URL(database.url), { pathname: `/${name}` }).href, 'begin; select txid_current(); rollback'); // prettier-ignore
    await shows(`database.each.transactions{datname=${name},outcome=rollback}`, `select xact_rollback from pg_stat_database where datname = '${name}'`); // prettier-ignore
    await shows(`database.each.size{datname=${name}}`, `pg_database_size('${name}')`);
    await shows('database.server.freeze.age{}', 'select max(age(datfrozenxid)) from pg_database');
    await shows('database.server.multixact.age{}', 'select max(mxid_age(datminmxid)) from pg_database');
    await database.sql(`drop database ${name}`);
  });

  it('shows transactions, blocks and rows', async () => {
    await database.sql('create table touched as select generate_series(1, 70) n');
    await database.sql('update touched set n = n + 1 where n <= 30; delete from touched where n <= 20');
    await database.sql('begin; insert into touched values (1); rollback');
    const changed = { insert: 'tup_inserted', update: 'tup_updated', delete: 'tup_deleted' };
    for (const [operation, column] of Object.entries(changed))
      await shows(`database.rows{operation=${operation}}`, ofDatabase(column));
    await rises('database.transactions{outcome=rollback}');
    await shows('database.transactions{outcome=rollback}', ofDatabase('xact_rollback'));
    // These rise with each question, so they are never equal for long.
    const rising = { 'database.transactions{outcome=commit}': 'xact_commit', 'database.blocks{found_in=cache}': 'blks_hit', 'database.rows{operation=read}': 'tup_returned' }; // prettier-ignore
    for (const [series, column] of Object.entries(rising)) {
      const before = (await ask(ofDatabase(column))) as number;
      await expect.poll(() => poller.series.get(series), TIMEOUT).toBeGreaterThanOrEqual(before);
      expect(poller.series.get(series)).toBeLessThanOrEqual((await ask(ofDatabase(column))) as number);
    }
  });

  it('shows deadlocks, temporary files, lost sessions and waiting locks', async () => {
    await database.sql(`set work_mem = '64kB'; select count(*) from (select n from generate_series(1, 100000) n order by n desc) sorted`); // prettier-ignore
    await rises('database.temp{}');
    await shows('database.temp.files{}', ofDatabase('temp_files'));
    await shows('database.temp{}', ofDatabase('temp_bytes'));
    const [holder, waiter] = [1, 2].map(() => new Client({ connectionString: database.url })) as [Client, Client];
    waiter.on('error', () => undefined);
    await Promise.all([holder.connect(), waiter.connect()]);
    await database.sql('create table contended (n int)');
    await holder.query('begin; lock table contended');
    const waiting = waiter.query('select from contended').catch(() => undefined);
    await shows('database.locks.waiting{}', '1');
    await database.sql(`select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'`);
    await waiting;
    await rises('database.sessions.lost{reason=killed}');
    await shows('database.sessions.lost{reason=killed}', ofDatabase('sessions_killed'));
    await holder.end();
  });

  it('shows the log, checkpoints and files of the log', async () => {
    await database.sql('create table written as select generate_series(1, 1000) n');
    await database.sql('checkpoint');
    await shows('database.wal.files.size{}', 'select sum(size) from pg_ls_waldir()');
    const [{ number } = {}] = await database.sql(`select current_setting('server_version_num')::int as number`);
    const requested = Number(number) >= 170_000 ? 'select num_requested from pg_stat_checkpointer' : 'select checkpoints_req from pg_stat_bgwriter'; // prettier-ignore
    await shows('database.checkpoints{cause=request}', requested);
    await shows('database.pages.written{writer=background_writer}', 'select buffers_clean from pg_stat_bgwriter');
    await shows('database.pages.allocated{}', 'select buffers_alloc from pg_stat_bgwriter');
    await shows('database.wal{}', 'select wal_bytes from pg_stat_wal');
  });
});

describe('on a primary and its standby', () => {
  let databases: ReplicatedPostgres;
  beforeAll(async () => {
    databases = await startReplicatedPostgres();
  });
  afterAll(() => databases[Symbol.asyncDispose]());

  it('shows a standby that is behind, on both of them', async () => {
    await using primary = await start(databases.primaryUrl);
    await using standby = await start(databases.standbyUrl);
    await expect.poll(() => primary.series.get('database.replication.clients{state=streaming}'), TIMEOUT).toBe(1);
    await expect.poll(() => standby.series.get('database.is_standby{}'), TIMEOUT).toBe(1);
    await expect.poll(() => standby.series.get('database.wal.receiver.streaming{}'), TIMEOUT).toBe(1);
    await runSql(databases.standbyUrl, 'select pg_wal_replay_pause()');
    await runSql(databases.primaryUrl, 'create table ahead as select generate_series(1, 10000) n');
    await agrees(primary, 'database.replication.behind{standby=walreceiver}', async () => {
      const [row] = await runSql(databases.primaryUrl, 'select pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8 as bytes from pg_stat_replication'); // prettier-ignore
      return row?.['bytes'];
    });
    expect(primary.series.get('database.replication.behind{standby=walreceiver}')).toBeGreaterThan(100_000);
    await expect.poll(() => standby.series.get('database.replay.behind{}'), TIMEOUT).toBeGreaterThan(100_000);
    await agrees(standby, 'database.replay.behind{}', async () => {
      const [row] = await runSql(databases.standbyUrl, 'select pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::float8 as bytes'); // prettier-ignore
      return row?.['bytes'];
    });
    // It has replayed no transaction since its start, so their age is unknown.
    expect(standby.series.get('database.replay.lag{}')).toBeUndefined();
    await runSql(databases.standbyUrl, 'select pg_wal_replay_resume()');
    await expect.poll(() => standby.series.get('database.replay.behind{}'), TIMEOUT).toBe(0);
    await runSql(databases.standbyUrl, 'select pg_wal_replay_pause()');
    await runSql(databases.primaryUrl, 'drop table ahead');
    await expect.poll(() => standby.series.get('database.replay.lag{}'), TIMEOUT).toBeGreaterThan(0);
    // WAL control functions fail on a standby, which other exporters call there.
    for (const reason of ['other', 'permission', 'missing_column']) expect(await standby.failures(reason)).toBe(0);
  });
});

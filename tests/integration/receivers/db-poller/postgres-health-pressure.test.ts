/** Values of postgres_health that are 0 on an idle server: each is provoked, and compared with the catalogs. */
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresHealthDatabase } from '../../../../src/packs/postgres-health/database.ts';
import { startReplicatedPostgres, type ReplicatedPostgres } from '../../../support/postgres/standby.ts';
import { runSql, startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const often = Object.fromEntries(
  postgresHealthDatabase.names.gauges.map((name) => [name, { collection_interval: '300ms' }]),
);
const TIMEOUT = { timeout: 30_000 };

async function start(datasource: string): Promise<PollerUnderTest> {
  return await PollerUnderTest.start({
    datasource,
    leader_election: { enabled: false },
    packs: { postgres_health: { queries: often, statements: 50 } },
  });
}

describe.skipIf(process.env['SIPHON_TEST_POSTGRES_URL'] !== undefined)('on a server under pressure', () => {
  let database: TestPostgres;
  let poller: PollerUnderTest;
  beforeAll(async () => {
    const small = { shared_buffers: '1MB', wal_buffers: '32kB', bgwriter_delay: '10ms', bgwriter_lru_maxpages: '1', bgwriter_lru_multiplier: '10' }; // prettier-ignore
    const extensions = { shared_preload_libraries: 'pg_stat_statements', track_io_timing: 'on' };
    database = await startTestPostgres({
      schema: false,
      parameters: { ...small, ...extensions, wal_level: 'logical', autovacuum: 'off', deadlock_timeout: '50ms' },
    });
    await database.sql('create extension pg_stat_statements');
    poller = await start(database.url);
  });
  afterAll(async () => {
    await poller.shutdown();
    await database[Symbol.asyncDispose]();
  });

  const ask = async (expression: string): Promise<number> =>
    Number((await database.sql(`select (${expression})::float8 as value`))[0]?.['value'] ?? Number.NaN);

  /** Resolves when the series has the value that the catalogs have before or after it is read, and it is above 0. */
  const shows = async (series: string, expression: string): Promise<void> => {
    await expect
      .poll(async () => {
        const before = await ask(expression);
        const shown = poller.series.get(series);
        return { series, shown, known: [before, await ask(expression)] };
      }, TIMEOUT)
      .toSatisfy(({ shown = 0, known }: { shown?: number; known: number[] }) => shown > 0 && known.includes(shown));
  };

  it('shows pages, checkpoints and the log', async () => {
    await database.sql(`create table filled as select n, repeat('x', 200) as filler from generate_series(1, 40000) n`);
    await database.sql('create index on filled (n); update filled set n = n + 1');
    await database.sql('checkpoint');
    const [{ number } = {}] = await database.sql(`select current_setting('server_version_num')::int as number`);
    const [view, prefix] = Number(number) >= 170_000 ? ['pg_stat_checkpointer', ''] : ['pg_stat_bgwriter', 'checkpoint_']; // prettier-ignore
    const written = prefix === '' ? 'buffers_written' : 'buffers_checkpoint';
    await shows('database.pages.written{writer=checkpointer}', `select ${written} from ${view}`);
    await shows('database.checkpoint.time{phase=write}', `select ${prefix}write_time / 1000 from ${view}`);
    if (prefix !== '') await shows('database.pages.written{writer=backend}', `select buffers_backend from ${view}`);
    await shows('database.bgwriter.stops{}', 'select maxwritten_clean from pg_stat_bgwriter');
    await shows('database.wal.full_page_images{}', 'select wal_fpi from pg_stat_wal');
    await shows('database.wal.buffers_full{}', 'select wal_buffers_full from pg_stat_wal');
    await shows('database.blocks{found_in=storage}', 'select blks_read from pg_stat_database where datname = current_database()'); // prettier-ignore
    await shows('database.start.timestamp{}', 'select extract(epoch from pg_postmaster_start_time())');
    await shows(
      'database.freeze.age{}',
      'select age(datfrozenxid) from pg_database where datname = current_database()',
    );
    if (Number(number) >= 160_000)
      await shows('database.io.time{backend=client,operation=extend}', `select sum(extend_time) / 1000 from pg_stat_io where backend_type = 'client backend' and object <> 'wal'`); // prettier-ignore
  });

  it('shows what statements read, returned and wrote to temporary files', async () => {
    await database.sql(`set work_mem = '64kB'; create table sorted as select n from filled order by filler, n desc`);
    const text = 'create table sorted as select n from filled order by filler, n desc';
    const columns = {
      'database.statement.rows{': 'rows',
      'database.statement.blocks.read{': 'shared_blks_read',
      'database.statement.temp.blocks.written{': 'temp_blks_written',
    };
    for (const [prefix, column] of Object.entries(columns)) {
      const series = (): string | undefined => [...poller.series.keys()].find((key) => key.startsWith(prefix) && key.includes(text)); // prettier-ignore
      await expect.poll(series, TIMEOUT).toBeDefined();
      await shows(series()!, `select sum(${column}) from pg_stat_statements where query like '%${text}%' and query not like '%pg_stat_statements%'`); // prettier-ignore
    }
  });

  it('shows connections, deadlocks, temporary files and the age of another database', async () => {
    const name = `other_${Date.now()}`;
    await database.sql(`create database ${name}`);
    const url = Object.assign(new URL(database.url), { pathname: `/${name}` }).href;
    const [one, two] = [1, 2].map(() => new Client({ connectionString: url })) as [Client, Client];
    for (const client of [one, two]) client.on('error', () => undefined);
    await Promise.all([one.connect(), two.connect()]);
    await one.query(`set work_mem = '64kB'; select count(*) from (select n from generate_series(1, 100000) n order by n desc) sorted`); // prettier-ignore
    await one.query('create table first (n int); create table second (n int)');
    await one.query('begin; lock table first');
    await two.query('begin; lock table second');
    await Promise.allSettled([one.query('lock table second'), two.query('lock table first')]);
    await Promise.all([one.query('rollback'), two.query('rollback')]);
    const of = (column: string): string => `select ${column} from pg_stat_database where datname = '${name}'`;
    await shows(`database.each.connections{datname=${name}}`, of('numbackends'));
    await shows(`database.each.deadlocks{datname=${name}}`, of('deadlocks'));
    await shows(`database.each.temp{datname=${name}}`, of('temp_bytes'));
    await shows(`database.each.freeze.age{datname=${name}}`, `select age(datfrozenxid) from pg_database where datname = '${name}'`); // prettier-ignore
    await Promise.all([one.end(), two.end()]);
    await database.sql(`drop database ${name} with (force)`);
  });

  it('shows a slot that is read, how much log may follow until it is lost, and one that is lost', async () => {
    await database.sql(`select pg_create_logical_replication_slot('read', 'test_decoding'); select pg_create_physical_replication_slot('left', true)`); // prettier-ignore
    const reader = new Client({ connectionString: `${database.url}?replication=database` });
    reader.on('error', () => undefined);
    await reader.connect();
    expect(poller.series.get('database.slot.active{slot=read}') ?? 0).toBe(0);
    const reading = reader.query('START_REPLICATION SLOT read LOGICAL 0/0').catch(() => undefined);
    await shows('database.slot.active{slot=read}', `select active::int from pg_replication_slots where slot_name = 'read'`); // prettier-ignore
    await shows('database.slots{state=active}', 'select count(*) from pg_replication_slots where active');
    expect(poller.series.get('database.slot.remaining{slot=left}')).toBeUndefined();
    await database.sql(`alter system set max_slot_wal_keep_size = '64MB'`);
    await database.sql('select pg_reload_conf()');
    await shows('database.slot.remaining{slot=left}', `select safe_wal_size from pg_replication_slots where slot_name = 'left'`); // prettier-ignore
    await database.sql(`alter system set max_slot_wal_keep_size = '1MB'`);
    await database.sql('select pg_reload_conf()');
    for (let i = 0; i < 3; i++)
      await database.sql(`select pg_switch_wal(); create table after_${i} (n int); checkpoint`);
    await shows('database.slots{state=lost}', `select count(*) from pg_replication_slots where wal_status = 'lost'`);
    await database.sql('select pg_terminate_backend(active_pid) from pg_replication_slots where active');
    await reading;
    await database.sql('select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active');
  });

  it('shows the number of sequences that the role may not read', async () => {
    await database.sql('create sequence hidden');
    await using other = await start(database.pollerUrl);
    await expect.poll(() => other.series.get('database.sequences.unreadable{}'), TIMEOUT).toBe(1);
    await database.sql(`grant select on sequence hidden to ${database.pollerRole}`);
    await expect.poll(() => other.series.get('database.sequences.unreadable{}'), TIMEOUT).toBe(0);
  });
});

describe('on a primary with a standby', () => {
  let databases: ReplicatedPostgres;
  beforeAll(async () => {
    databases = await startReplicatedPostgres();
  });
  afterAll(() => databases[Symbol.asyncDispose]());

  it('shows no lag on a standby that starts again while nothing is written', async () => {
    await runSql(databases.primaryUrl, 'create table written (n int)');
    await databases.replayed();
    await databases.restartStandby();
    await using poller = await start(databases.standbyUrl);
    await expect.poll(() => poller.series.get('database.wal.receiver.streaming{}'), TIMEOUT).toBe(1);
    // The primary writes to its log at least every 15 s.
    await expect.poll(() => poller.series.get('database.replay.lag{}'), { timeout: 4000 }).toBe(0);
    expect(poller.series.get('database.replay.behind{}')).toBe(0);
  });

  it('shows how long a standby took to replay, and 0 when it has replayed everything', async () => {
    await using poller = await start(databases.primaryUrl);
    const series = 'database.replication.lag{standby=walreceiver}';
    await expect.poll(() => poller.series.get(series), TIMEOUT).toBe(0);
    await runSql(databases.standbyUrl, 'select pg_wal_replay_pause()');
    await runSql(databases.primaryUrl, 'create table ahead as select generate_series(1, 1000) n; select pg_sleep(1)');
    await runSql(databases.standbyUrl, 'select pg_wal_replay_resume()');
    // The server knows the time when this was replayed; what is behind it keeps the last known lag visible.
    await databases.replayed();
    await runSql(databases.standbyUrl, 'select pg_wal_replay_pause()');
    await runSql(databases.primaryUrl, 'create table behind (n int)');
    await expect
      .poll(async () => {
        const [row] = await runSql(databases.primaryUrl, 'select extract(epoch from replay_lag)::float8 as lag from pg_stat_replication'); // prettier-ignore
        return { shown: poller.series.get(series), known: row?.['lag'] };
      }, TIMEOUT)
      .toSatisfy(({ shown = 0, known }: { shown?: number; known: unknown }) => shown > 0 && shown === known);
  });

  it('shows no lag of an idle standby to a role that may not see whether it is connected', async () => {
    await runSql(databases.standbyUrl, 'select pg_wal_replay_resume()');
    await runSql(databases.primaryUrl, `create role limited login password 'limited'`);
    await databases.replayed();
    const limited = Object.assign(new URL(databases.standbyUrl), { username: 'limited', password: 'limited' });
    await using poller = await start(limited.href);
    await expect.poll(() => poller.series.get('database.replay.behind{}'), TIMEOUT).toBe(0);
    expect(poller.series.get('database.replay.lag{}')).toBeUndefined();
  });
});

/** Faults that users reported about other programs for the same purpose; each input is tried here. */
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { postgresHealthDatabase } from '../../../../src/packs/postgres-health/database.ts';
import { runSql, startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const TIMEOUT = { timeout: 30_000 };
const often = Object.fromEntries(
  postgresHealthDatabase.names.gauges.map((name) => [name, { collection_interval: '300ms' }]),
);
const given = process.env['SIPHON_TEST_POSTGRES_URL'] !== undefined;

let database: TestPostgres;
beforeAll(async () => {
  const parameters = { wal_level: 'logical', shared_preload_libraries: 'pg_stat_statements', autovacuum: 'off' };
  database = await startTestPostgres({ schema: false, parameters });
});
afterAll(() => database[Symbol.asyncDispose]());

async function start(config: Record<string, unknown> = {}): Promise<PollerUnderTest> {
  const packs = { postgres_health: { queries: often } };
  return await PollerUnderTest.start({ datasource: database.pollerUrl, leader_election: { enabled: false }, packs, ...config }); // prettier-ignore
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** The address of the poller's role, for a session of this name. */
function named(name: string): string {
  const url = new URL(database.pollerUrl);
  url.searchParams.set('application_name', name);
  return url.href;
}

const polls = async (poller: PollerUnderTest, query: string): Promise<number> =>
  (await poller.own(`query_duration_seconds_count{query="postgres_health.${query}"}`)) ?? 0;

/** Resolves when the query has been answered twice more. */
async function polledAgain(poller: PollerUnderTest, query: string): Promise<void> {
  const before = await polls(poller, query);
  await expect.poll(async () => await polls(poller, query), TIMEOUT).toBeGreaterThan(before + 1);
}

async function failures(poller: PollerUnderTest): Promise<number> {
  const reasons = ['other', 'permission', 'missing_table', 'missing_column', 'unavailable'];
  return (await Promise.all(reasons.map((reason) => poller.failures(reason)))).reduce((a, b) => a + b, 0);
}

/** prometheus-community/postgres_exporter 1352: the page failed. paradedb/charts 195: their sessions were "long queries". */
it('readers of changes with one name are one series, and no long transactions', async () => {
  await database.sql(`select pg_create_logical_replication_slot(name, 'test_decoding') from unnest(array['one', 'two']) name`); // prettier-ignore
  const readers = await Promise.all([1, 2].map(() => connected(`${database.url}?replication=database&application_name=twin`))); // prettier-ignore
  const streams = readers.map((reader, i) => reader.query(`START_REPLICATION SLOT ${['one', 'two'][i]} LOGICAL 0/0`).catch(() => undefined)); // prettier-ignore
  await using poller = await start();
  await expect.poll(() => poller.series.get('database.replication.clients{state=streaming}'), TIMEOUT).toBe(2);
  // A standby sends how much it has written, flushed and replayed.
  const status = Buffer.alloc(34);
  status.write('r');
  for (const place of [1, 9, 17]) status.writeBigInt64BE(100n, place);
  for (const reader of readers)
    (reader as unknown as { connection: { sendCopyFromChunk(chunk: Buffer): void } }).connection.sendCopyFromChunk(status); // prettier-ignore
  await expect.poll(() => poller.series.get('database.replication.behind{standby=twin}'), TIMEOUT).toBeGreaterThan(0);
  await polledAgain(poller, 'activity');
  expect(poller.series.get('database.transaction.longest{}')).toBe(0);
  expect(poller.series.get('database.connections.active{}')).toBe(0);
  expect(await poller.failures('unmergeable')).toBe(0);
  await database.sql('select pg_terminate_backend(active_pid) from pg_replication_slots where active');
  await Promise.all(streams);
  await database.sql('select pg_drop_replication_slot(slot_name) from pg_replication_slots');
});

it('the longest transaction of a client is not one of another session of the poller', async () => {
  await using poller = await start();
  const [own, other] = await Promise.all(['siphon', 'shop'].map((name) => connected(named(name)))); // prettier-ignore
  await own!.query('begin');
  await polledAgain(poller, 'activity');
  expect(poller.series.get('database.transaction.longest{}')).toBe(0);
  await other!.query('begin');
  await expect.poll(() => poller.series.get('database.transaction.longest{}'), TIMEOUT).toBeGreaterThan(0);
  await Promise.all([own, other].map((session) => session!.end()));
});

/** prometheus-community/postgres_exporter 998, and open-telemetry/opentelemetry-collector-contrib 47768. */
it.skipIf(given)('one statement of several users is one series, also when a user is gone', async () => {
  await database.sql('create extension pg_stat_statements; create table asked (n int); grant all on asked to public');
  for (const name of ['reported_one', 'reported_two']) {
    await database.sql(`create role ${name} login password 'secret'`);
    const url = Object.assign(new URL(database.url), { username: name, password: 'secret' }).href;
    await runSql(url, 'select count(*) as asked_often, pg_sleep(0.5) from asked');
  }
  await database.sql('drop role reported_two');
  await using poller = await start({ packs: { postgres_health: { queries: often, statements: 50 } } });
  const calls = (): unknown[] => [...poller.series].filter(([key]) => key.startsWith('database.statement.calls{') && key.includes('asked_often')).map(([, value]) => value); // prettier-ignore
  await expect.poll(calls, TIMEOUT).toEqual([2]);
});

/** mackerelio/mackerel-agent-plugins 361: the size of a database that accepts no connection failed the whole query. */
it('a database whose removal was interrupted is not polled, and fails no query', async () => {
  const name = `broken_${Date.now()}`;
  await database.sql(`create database ${name}`);
  await database.sql(`update pg_database set datconnlimit = -2 where datname = '${name}'`);
  await using poller = await start({ databases: 'all' });
  await expect.poll(() => poller.series.get(`database.each.freeze.age{datname=${name}}`), TIMEOUT).toBeDefined();
  await polledAgain(poller, 'database_sizes');
  expect(await failures(poller)).toBe(0);
  expect(poller.said('Database cannot be polled')).toBe(0);
  await database.sql(`update pg_database set datconnlimit = -1 where datname = '${name}'`);
  await database.sql(`drop database ${name}`);
});

/** prometheus-community/postgres_exporter 1120: its "up" stayed 1. */
it('a role that may not log in any more leaves no value behind', async () => {
  await using poller = await start();
  const values = (): number => [...poller.series.values()].filter((value) => value !== undefined).length;
  await expect.poll(() => poller.series.get('database.version{}'), TIMEOUT).toBeDefined();
  await database.sql(`alter role ${database.pollerRole} nologin; select pg_terminate_backend(pid) from pg_stat_activity where usename = '${database.pollerRole}'`); // prettier-ignore
  await expect.poll(values, TIMEOUT).toBe(0);
  await database.sql(`alter role ${database.pollerRole} login`);
  await expect.poll(() => poller.series.get('database.version{}'), TIMEOUT).toBeDefined();
});

/** netdata/go.d.plugin 978 and grafana/alloy 4872: names that need quotes. */
it('tables with names that need quotes have values in every query about tables', async () => {
  await database.sql(`create schema "My Shop"; create table "My Shop"."Order ""Items""" ("Id" serial primary key, "Größe" text);
    insert into "My Shop"."Order ""Items""" ("Größe") select repeat('x', 100) from generate_series(1, 5000);
    create index "Zweit Index" on "My Shop"."Order ""Items""" ("Größe"); create index "Zweit Index 2" on "My Shop"."Order ""Items""" ("Größe");
    grant usage on schema "My Shop" to ${database.pollerRole}; grant select on all tables in schema "My Shop" to ${database.pollerRole};
    grant select on all sequences in schema "My Shop" to ${database.pollerRole}`);
  await database.sql('vacuum analyze');
  await using poller = await start();
  const table = 'My Shop.Order "Items"';
  for (const series of [
    `database.table.size{table=${table}}`,
    `database.table.bloat{table=${table}}`,
    'database.sequence.used{sequence=My Shop.Order "Items"_Id_seq}',
    'database.index.problem{index=My Shop.Zweit Index 2,problem=duplicate}',
  ])
    // prettier-ignore
    await expect.poll(() => poller.series.get(series), { ...TIMEOUT, message: series }).toBeDefined();
  expect(await failures(poller)).toBe(0);
});

/** open-telemetry/opentelemetry-collector-contrib 43984 and 19177: one NULL lost all rows, or ended the program. */
it('a NULL in one row of your own gauge loses that value and no other', async () => {
  const sql = `select * from (values ('a', 1), ('b', null), (null, 3)) known (kind, n)`;
  await using poller = await start({
    packs: {},
    queries: [{ name: 'kinds', kind: 'gauge', metric_name: 'kinds', value_column: 'n', labels: ['kind'], sql }],
  });
  await expect.poll(() => Object.fromEntries(poller.series), TIMEOUT).toEqual({ 'kinds{kind=a}': 1, 'kinds{kind=unknown}': 3 }); // prettier-ignore
});

/** cybertec-postgresql/pgwatch2 347 and rapidloop/pgmetrics 56: many partitions and statements. */
it('a thousand partitions are one table, within the time of a poll', async () => {
  await database.sql(`create table hashed (id int primary key) partition by hash (id);
    do $$ begin for i in 0..999 loop execute format('create table hashed_%s partition of hashed for values with (modulus 1000, remainder %s)', i, i); end loop; end $$;
    insert into hashed select generate_series(1, 5000)`);
  await database.sql('vacuum analyze hashed');
  await using poller = await start({ packs: { postgres_health: { queries: often, tables: ['public.hashed'] } } });
  await expect.poll(() => poller.series.get('database.table.rows{state=live,table=public.hashed}'), TIMEOUT).toBe(5000);
  await polledAgain(poller, 'tables');
  expect(await poller.failures('timeout')).toBe(0);
  expect([...poller.series.keys()].filter((key) => key.includes('hashed_'))).toEqual([]);
});

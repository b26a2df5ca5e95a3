import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { dbPollerReceiver } from '../../../../src/components/receivers/db-poller/factory.ts';
import { packs as builtInPacks } from '../../../../src/packs/index.ts';
import { findingsOf } from '../../../support/components/findings.ts';
import { TcpProxy } from '../../../support/network/tcp-proxy.ts';
import { startReplicatedPostgres, type ReplicatedPostgres } from '../../../support/postgres/standby.ts';
import { runSql } from '../../../support/postgres/test-postgres.ts';
import { counting, RESTARTED, settled, shows, staysAt } from './counter-under-test.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const query = { table: 'public.orders', time_column: 'created_at' };
const settings = { leader_election: { enabled: false }, reconcile_interval: '300ms' };

const rowsOf = (state: string): string => `database.table.rows{state=${state},table=public.orders}`;

let databases: ReplicatedPostgres;
beforeAll(async () => {
  databases = await startReplicatedPostgres();
});
beforeEach(async () => {
  await runSql(databases.primaryUrl, 'drop table if exists orders');
  await runSql(databases.primaryUrl, 'create table orders (id bigint generated always as identity primary key, created_at timestamptz default now())'); // prettier-ignore
  await databases.replayed();
});
afterAll(() => databases[Symbol.asyncDispose]());

const insert = async (rows: number, age = '0', url = databases.primaryUrl): Promise<void> => {
  await runSql(
    url,
    `insert into orders (created_at) select now() - interval '${age}' from generate_series(1, ${rows})`,
  );
};

it('counts rows with an old time on a standby, which has no statistics', async () => {
  await using poller = await counting(databases.standbyUrl, query, settings);
  await insert(10);
  await shows(poller, 10);
  await insert(200, '3 h');
  await shows(poller, 210);
  expect(await poller.own('uncounted_inserts{query="orders"}')).toBeUndefined();
});

it('waits while an address leads to a standby that is behind, and continues where it was', async () => {
  await using proxy = await TcpProxy.start(target(databases.primaryUrl));
  const address = Object.assign(new URL(databases.primaryUrl), { host: `127.0.0.1:${proxy.port}` }).href;
  await using poller = await counting(address, query, settings);
  await runSql(databases.standbyUrl, 'select pg_wal_replay_pause()');
  await insert(10);
  await shows(poller, 10);
  proxy.leadTo(target(databases.standbyUrl));
  const waits =
    'Counting waits, and continues on its own: the server is behind what is counted, has not written its log, or a rewrite is not settled. If it lasts, look for a standby at this address or a transaction that stays open';
  await expect.poll(() => poller.said(waits), { timeout: 5000 }).toBe(1);
  expect(await poller.own('backlog_rows{query="orders"}')).toBeUndefined();
  await insert(5);
  await runSql(databases.standbyUrl, 'select pg_wal_replay_resume()');
  await shows(poller, 15);
  proxy.leadTo(target(databases.primaryUrl));
  await insert(1);
  await staysAt(poller, 16);
  expect(poller.said(RESTARTED)).toBe(0);
});

it('has no number of the rows of a table on a standby, which does not count them', async () => {
  await insert(50);
  await runSql(databases.primaryUrl, 'analyze orders');
  await databases.replayed();
  const often = { collection_interval: '200ms' };
  const start = async (datasource: string): Promise<PollerUnderTest> =>
    await PollerUnderTest.start({
      datasource,
      leader_election: { enabled: false },
      packs: { postgres_health: { tables: ['public.orders'], queries: { tables: often } } },
    });
  await using primary = await start(databases.primaryUrl);
  await using standby = await start(databases.standbyUrl);
  await expect.poll(() => primary.series.get(rowsOf('live')), { timeout: 9000 }).toBe(50);
  await expect.poll(() => standby.series.get('database.table.size{table=public.orders}'), { timeout: 9000 }).toBeGreaterThan(0); // prettier-ignore
  expect(standby.series.get(rowsOf('live'))).toBeUndefined();
  expect(standby.series.get(rowsOf('dead'))).toBeUndefined();
});

it('refuses an unlogged table on a standby, with the reason', async () => {
  await runSql(databases.primaryUrl, 'create unlogged table scratch (id int primary key)');
  await databases.replayed();
  const scratch = { name: 'scratch', kind: 'counter', metric_name: 'scratch', table: 'public.scratch' };
  await using poller = await PollerUnderTest.start({ datasource: databases.standbyUrl, leader_election: { enabled: false }, queries: [scratch] }); // prettier-ignore
  await expect.poll(() => poller.said('Query failed'), { timeout: 9000 }).toBe(1);
  expect(poller.log.find(({ msg }) => msg === 'Query failed')?.['err']).toMatchObject({
    message: 'table public.scratch is unlogged: a standby has none of its rows',
    repair: 'Count it on the primary',
  });
  await runSql(databases.primaryUrl, 'drop table scratch');
});

it('doctor reports a standby', async () => {
  const found = await findingsOf(dbPollerReceiver(builtInPacks), {
    datasource: databases.standbyUrl,
    leader_election: { enabled: false },
    queries: [{ name: 'orders', kind: 'counter', metric_name: 'orders', ...query }],
  });
  expect(found.map(({ what }) => what)).toContainEqual(expect.stringContaining('the server is a standby'));
});

it('counts a query that the standby ends, because it delays the replay, as a recovery conflict', async () => {
  await runSql(databases.standbyUrl, `alter system set max_standby_streaming_delay = '50ms'`);
  await runSql(databases.standbyUrl, 'select pg_reload_conf()');
  const gauge = { name: 'orders', kind: 'gauge', metric_name: 'orders', sql: 'select count(*) as n from orders, pg_sleep(3)', value_column: 'n' }; // prettier-ignore
  await using poller = await PollerUnderTest.start({
    datasource: databases.standbyUrl,
    leader_election: { enabled: false },
    queries: [gauge],
  });
  const conflicts = async (): Promise<number> =>
    (await poller.own('errors{query="orders",reason="recovery_conflict"}')) ?? 0;
  const disturb = async (): Promise<boolean> => {
    await runSql(databases.primaryUrl, 'alter table orders add column extra int; alter table orders drop column extra');
    return (await conflicts()) > 0;
  };
  await expect.poll(disturb, { timeout: 15_000, interval: 300 }).toBe(true);
});

// The last test: afterwards it is not a standby.
it('starts again immediately when a standby is promoted, and not later', async () => {
  await using poller = await counting(databases.standbyUrl, query, settings);
  await insert(10);
  await shows(poller, 10);
  await databases.promote();
  await expect.poll(() => poller.said(RESTARTED), { timeout: 20_000 }).toBe(1);
  expect(await poller.own('rebaselines{query="orders",reason="identity"}')).toBe(1);
  await settled(poller);
  await insert(3, '0', databases.standbyUrl);
  await shows(poller, 3);
  await runSql(databases.standbyUrl, 'checkpoint');
  await insert(4, '0', databases.standbyUrl);
  await staysAt(poller, 7);
  expect(poller.said(RESTARTED)).toBe(1);
});

function target(url: string): { readonly host: string; readonly port: number } {
  return { host: '127.0.0.1', port: Number(new URL(url).port) };
}

import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dbPollerConfig } from '../../../../src/components/receivers/db-poller/config.ts';
import { packs as builtInPacks } from '../../../../src/packs/index.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { PollerUnderTest } from './poller-under-test.ts';

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres({ schema: false });
  await database.sql('create table orders (id bigint generated always as identity primary key)');
  await database.sql(`grant select on orders to ${database.pollerRole}`);
});
afterAll(() => database[Symbol.asyncDispose]());

const sessions = async (): Promise<number> => {
  const [row] = await database.sql(`select count(*)::int as n from pg_stat_activity where usename = '${database.pollerRole}'`); // prettier-ignore
  return Number(row?.['n']);
};

it('lets the database sleep between rounds, without a connection, and loses no row', async () => {
  await using poller = await PollerUnderTest.start({
    datasource: database.pollerUrl,
    wake_interval: '4s',
    leader_election: { enabled: false },
    packs: { postgres_health: {} },
    queries: [{ name: 'orders', kind: 'counter', metric_name: 'orders', table: 'public.orders' }],
  });
  const counted = (): number | undefined => poller.series.get('orders{}');
  await expect.poll(counted, { timeout: 20_000 }).toBe(0);
  for (const query of ['orders', 'horizon', 'postgres_health.bloat'])
    expect(await poller.own(`query_interval_seconds{query="${query}"}`)).toBe(4);
  for (const total of [10, 20]) {
    await expect.poll(sessions, { timeout: 15_000 }).toBe(0);
    await database.sql('insert into orders select from generate_series(1, 10)');
    const polls = await poller.own('query_duration_seconds_count{query="orders"}');
    for (let i = 0; i < 8; i++) {
      expect(await sessions()).toBe(0);
      await delay(100);
    }
    expect(await poller.own('query_duration_seconds_count{query="orders"}')).toBe(polls);
    expect([...poller.series.values()]).not.toContain(undefined);
    await expect.poll(counted, { timeout: 20_000 }).toBe(total);
  }
});

it('finds a database that was stopped meanwhile', async (context) => {
  if (database.server === undefined) return context.skip('this server cannot be stopped');
  await using poller = await PollerUnderTest.start({ datasource: database.pollerUrl, wake_interval: '2s', leader_election: { enabled: false }, packs: { postgres_health: {} } }); // prettier-ignore
  const limit = (): number | undefined => poller.series.get('database.connections.limit{}');
  await expect.poll(limit, { timeout: 20_000 }).toBeDefined();
  await expect.poll(sessions, { timeout: 15_000 }).toBe(0);
  await database.server.pause();
  await expect.poll(limit, { timeout: 20_000 }).toBeUndefined();
  await database.server.resume();
  await expect.poll(limit, { timeout: 30_000 }).toBeDefined();
});

it('is refused with the election of a leader, whose lock needs a connection', async () => {
  const config = { datasource: database.pollerUrl, wake_interval: '15m', packs: { postgres_health: {} } };
  const { issues } = await v.safeParseAsync(dbPollerConfig(builtInPacks), config);
  expect(issues?.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^requires leader_election::enabled: false/),
  ]);
});

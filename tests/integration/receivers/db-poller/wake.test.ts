import * as v from 'valibot';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dbPollerConfig } from '../../../../src/components/receivers/db-poller/config.ts';
import { packs as builtInPacks } from '../../../../src/packs/index.ts';
import { TcpProxy } from '../../../support/network/tcp-proxy.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { PollerUnderTest } from './poller-under-test.ts';

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres({ schema: false });
  await database.sql('create table orders (id bigint generated always as identity primary key)');
  await database.sql(`grant select on orders to ${database.pollerRole}`);
});
afterAll(() => database[Symbol.asyncDispose]());

/** A poller that reaches the database only through a proxy, which sees its connections. */
async function started(proxy: TcpProxy, config: Record<string, unknown> = {}): Promise<PollerUnderTest> {
  return await PollerUnderTest.start({
    datasource: Object.assign(new URL(database.pollerUrl), { port: String(proxy.port) }).href,
    wake_interval: '2s',
    leader_election: { enabled: false },
    packs: { postgres_health: {} },
    ...config,
  });
}

async function proxied(): Promise<TcpProxy> {
  const { hostname: host, port } = new URL(database.url);
  return await TcpProxy.start({ host, port: Number(port) });
}

it('lets the database sleep between rounds, without a connection, and loses no row', async () => {
  await using proxy = await proxied();
  await using poller = await started(proxy, {
    queries: [{ name: 'orders', kind: 'counter', metric_name: 'orders', table: 'public.orders' }],
  });
  const counted = (): number | undefined => poller.series.get('orders{}');
  await expect.poll(counted, { timeout: 20_000 }).toBe(0);
  for (const query of ['orders', 'horizon', 'postgres_health.bloat'])
    expect(await poller.own(`query_interval_seconds{query="${query}"}`)).toBe(2);
  for (const total of [10, 20]) {
    await database.sql('insert into orders select from generate_series(1, 10)');
    await expect.poll(counted, { timeout: 20_000 }).toBe(total);
  }
  await expect.poll(() => proxy.lullsMs.length, { timeout: 20_000 }).toBeGreaterThan(1);
  // The interval varies by a tenth.
  for (const lullMs of proxy.lullsMs) expect(lullMs).toBeGreaterThan(1700);
  expect(await poller.own('query_duration_seconds_count{query="orders"}')).toBeLessThanOrEqual(
    proxy.lullsMs.length + 1,
  );
  expect([...poller.series.values()]).not.toContain(undefined);
});

it('finds a database that was stopped meanwhile', async (context) => {
  if (database.server === undefined) return context.skip('this server cannot be stopped');
  await using proxy = await proxied();
  await using poller = await started(proxy);
  const limit = (): number | undefined => poller.series.get('database.connections.limit{}');
  await expect.poll(limit, { timeout: 20_000 }).toBeDefined();
  await expect.poll(() => proxy.connectionCount, { timeout: 15_000 }).toBe(0);
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

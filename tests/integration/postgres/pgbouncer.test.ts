import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dbPollerReceiver } from '../../../src/components/receivers/db-poller/factory.ts';
import { sqlqueryReceiver } from '../../../src/components/receivers/sqlquery/factory.ts';
import type { Finding } from '../../../src/engine/component.ts';
import { packs as builtInPacks } from '../../../src/packs/index.ts';
import { findingsOf } from '../../support/components/findings.ts';
import { PollerUnderTest } from '../receivers/db-poller/poller-under-test.ts';
import { ReceiverUnderTest } from '../receivers/sqlquery/receiver-under-test.ts';
import { Secret } from '../../../src/engine/schema/secret.ts';
import { ReadOnlyPool, type QueryResult } from '../../../src/postgres/read-only-pool.ts';
import { Pgbouncer, pgbouncerPath } from '../../support/postgres/pgbouncer.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres/test-postgres.ts';
import { waitFor } from '../../support/wait-for.ts';

describe.skipIf(pgbouncerPath === undefined)(
  'behind pgbouncer in transaction mode (skipped where it is not installed)',
  () => {
    let database: TestPostgres;
    let pooler: Pgbouncer;
    beforeAll(async () => {
      database = await startTestPostgres();
      pooler = await Pgbouncer.start(database.pollerUrl, 1);
    });
    afterAll(async () => {
      await pooler[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    });

    const pool = (): ReadOnlyPool =>
      new ReadOnlyPool({
        datasource: new Secret(pooler.url),
        maxConnections: 3,
        connectTimeoutMs: 5000,
        lockTimeoutMs: 1000,
        onConnect: () => undefined,
      });
    const sleepers = async (): Promise<number> => {
      const text = `select from pg_stat_activity where query like '%pg_sleep(3%' and state = 'active' and pid <> pg_backend_pid()`;
      return (await database.sql(text)).length;
    };

    it('queries share one connection of the server, each with its own limits', async () => {
      const shared = pool();
      const settings = `select pg_backend_pid() as pid, current_setting('statement_timeout') as timeout, current_setting('transaction_isolation') as isolation`;
      const answers = await Promise.all([1100, 1200, 1300, 1400].map((timeoutMs) => ask(shared, settings, timeoutMs)));
      const rows = answers.map(({ rows: [row] }) => row);
      expect(rows.map((row) => row?.['timeout'])).toEqual(['1100ms', '1200ms', '1300ms', '1400ms']);
      expect(new Set(rows.map((row) => row?.['isolation']))).toEqual(new Set(['repeatable read']));
      expect(new Set(rows.map((row) => row?.['pid'])).size).toBe(1);
      await shared.close();
    });

    it('a query ends at its timeout, and the connection serves the next', async () => {
      const shared = pool();
      await expect(ask(shared, 'select pg_sleep(3)', 100)).rejects.toMatchObject({ reason: 'timeout' });
      expect((await ask(shared, 'select 1 as one')).rows).toEqual([{ one: 1 }]);
      expect(await sleepers()).toBe(0);
      await shared.close();
    });

    it('what runs is ended on the server when the pool is closed', async () => {
      const closing = pool();
      const running = ask(closing, 'select pg_sleep(30)', 60_000);
      await waitFor(async () => (await sleepers()) === 1, { what: 'the query' });
      await Promise.all([closing.close(), expect(running).rejects.toThrow(/abort/)]);
      await waitFor(async () => (await sleepers()) === 0, { what: 'its end' });
    });

    it('it cannot write', async () => {
      const shared = pool();
      await database.sql(`create function adds() returns uuid language sql security definer as
      $$ insert into roasters (name, slug, platform) values ('n', 'n', 'custom') returning id $$`);
      await expect(ask(shared, 'select adds()')).rejects.toMatchObject({ reason: 'read_only' });
      await shared.close();
    });
  },
);

describe.skipIf(pgbouncerPath === undefined)('the admin console of pgbouncer', () => {
  let database: TestPostgres;
  let pooler: Pgbouncer;
  beforeAll(async () => {
    database = await startTestPostgres({ schema: false });
    pooler = await Pgbouncer.start(database.pollerUrl, 1);
  });
  afterAll(async () => {
    await pooler[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  const waiting = { name: 'waiting', kind: 'gauge', metric_name: 'pgbouncer.clients.waiting', sql: 'show pools;', value_column: 'cl_waiting', labels: ['database', { name: 'role', column: 'user' }] }; // prettier-ignore
  const alone = { leader_election: { enabled: false } };
  const findings = async (config: Record<string, unknown>): Promise<Finding[]> =>
    await findingsOf(dbPollerReceiver(builtInPacks), { datasource: pooler.consoleUrl, ...config });

  it('shows clients that wait, as gauges of your own', async () => {
    const { username, pathname } = new URL(pooler.url);
    const [holder, waiter] = [1, 2].map(() => new Client({ connectionString: pooler.url })) as [Client, Client];
    await Promise.all([holder.connect(), waiter.connect()]);
    await holder.query('begin');
    const answer = waiter.query('select 1');
    await using poller = await PollerUnderTest.start({ datasource: pooler.consoleUrl, ...alone, queries: [waiting] });
    const series = `pgbouncer.clients.waiting{database=${pathname.slice(1)},role=${username}}`;
    await expect.poll(() => poller.series.get(series), { timeout: 9000 }).toBe(1);
    await holder.query('commit');
    await answer;
    await expect.poll(() => poller.series.get(series), { timeout: 9000 }).toBe(0);
    await Promise.all([holder.end(), waiter.end()]);
    expect(await poller.failures('other')).toBe(0);
    expect(await findings({ ...alone, queries: [waiting] })).toMatchObject([{ severity: 'ok' }, { severity: 'ok', what: 'waiting has 2 rows' }]); // prettier-ignore
  });

  it('shows counters, as sums of sqlquery', async () => {
    const metrics = [{ metric_name: 'pgbouncer.queries', value_column: 'total_query_count', attribute_columns: ['database'], data_type: 'sum', monotonic: true, aggregation: 'cumulative' }]; // prettier-ignore
    const datasource = `${pooler.consoleUrl}?sslmode=disable`;
    await using receiver = await ReceiverUnderTest.start({ datasource, queries: [{ sql: 'show stats', metrics }] });
    await expect.poll(() => receiver.series.get('pgbouncer.queries{database=pgbouncer}'), { timeout: 9000 }).toBeGreaterThan(0); // prettier-ignore
    const found = await findingsOf(sqlqueryReceiver, { driver: 'postgres', datasource, queries: [{ sql: 'show stats', metrics }] }); // prettier-ignore
    expect(found).toMatchObject([{ severity: 'ok', what: expect.stringContaining('returns rows') }]);
  });

  it.each(['shutdown', 'reload; shutdown', 'show pools; shutdown', 'select 1', 'show pools -- \n; shutdown'])(
    'refuses %j, whatever the user may do there',
    async (sql) => {
      const console = new ReadOnlyPool({ datasource: new Secret(pooler.consoleUrl), maxConnections: 1, connectTimeoutMs: 5000, lockTimeoutMs: 1000 }); // prettier-ignore
      await expect(ask(console, sql)).rejects.toThrow('the admin console of pgbouncer answers only SHOW');
      expect((await ask(console, 'show version')).rows).toHaveLength(1);
      await console.close();
    },
  );

  it('has no leaders, packs and counters, which doctor reports', async () => {
    const orders = { name: 'orders', kind: 'counter', metric_name: 'orders', table: 'public.orders' };
    expect(await findings({ packs: { postgres_health: {} }, queries: [orders] })).toMatchObject([
      { severity: 'ok' },
      { severity: 'error', repair: 'Set leader_election::enabled: false' },
      { severity: 'error', repair: 'Use a second receiver, whose datasource is the database' },
    ]);
  });

  it('is not a real database of that name', async () => {
    await database.sql('create database pgbouncer');
    const datasource = new Secret(Object.assign(new URL(database.url), { pathname: '/pgbouncer' }).href);
    const real = new ReadOnlyPool({ datasource, maxConnections: 1, connectTimeoutMs: 5000, lockTimeoutMs: 1000 });
    expect((await ask(real, 'select current_database() as name')).rows).toEqual([{ name: 'pgbouncer' }]);
    await real.close();
    await database.sql('drop database pgbouncer');
  });
});

function ask(pool: ReadOnlyPool, text: string, timeoutMs = 2000): Promise<QueryResult> {
  return pool.query({ text, values: [], timeoutMs, maxRows: 10 });
}

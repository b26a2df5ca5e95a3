import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/engine/schema/secret.ts';
import { ReadOnlyPool, type PoolSettings } from '../../../src/postgres/read-only-pool.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres/test-postgres.ts';
import { waitFor } from '../../support/wait-for.ts';

describe('ReadOnlyPool', () => {
  let database: TestPostgres;
  let pool: ReadOnlyPool;
  beforeAll(async () => {
    database = await startTestPostgres({ schema: false });
    pool = new ReadOnlyPool(settings());
    await database.sql(`create table t (n int);
      create function writes() returns int language sql as 'insert into t values (1) returning n'`);
  });
  afterAll(async () => {
    await pool.close();
    await database[Symbol.asyncDispose]();
  });

  const settings = (): PoolSettings => ({
    datasource: new Secret(database.url),
    maxConnections: 1,
    connectTimeoutMs: 5000,
    lockTimeoutMs: 1000,
    onConnect: () => undefined,
  });
  const ask = (text: string, timeoutMs = 2000) => pool.query({ text, values: [], timeoutMs, maxRows: 2 });

  const held = async (): Promise<unknown> =>
    (await database.sql(`select count(*)::int as n from pg_locks where locktype = 'advisory'`))[0]?.['n'];

  it('refuses a write that hides in a function', async () => {
    await expect(ask('select writes()')).rejects.toMatchObject({ reason: 'read_only' });
    expect(await database.sql('select count(*)::int as n from t')).toEqual([{ n: 0 }]);
  });

  it('keeps no advisory lock of a query, also of one that fails', async () => {
    await ask('select pg_advisory_lock(42)::text');
    expect(await held()).toBe(0);
    await expect(ask('select pg_advisory_lock(43)::text, 1 / (n - 1) from generate_series(1, 1) n')).rejects.toThrow();
    expect(await held()).toBe(0);
    expect((await ask('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  it('ends a query at its timeout and uses the connection on', async () => {
    await expect(ask('select pg_sleep(30)', 100)).rejects.toMatchObject({ reason: 'timeout' });
    expect((await ask('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  it('reports what is missing, and too many rows', async () => {
    await expect(ask('select * from nowhere')).rejects.toMatchObject({ reason: 'missing_table' });
    await expect(ask('select m from t')).rejects.toMatchObject({ reason: 'missing_column' });
    await expect(ask('select generate_series(1, 3)')).rejects.toMatchObject({ reason: 'too_many_rows' });
  });

  it('cancels running queries on the server immediately when it is closed', async () => {
    const closing = new ReadOnlyPool({ ...settings(), maxConnections: 1 });
    const running = closing.query({ text: 'select pg_sleep(30)', values: [], timeoutMs: 60_000, maxRows: 1 });
    const waiting = closing.query({ text: 'select 1', values: [], timeoutMs: 60_000, maxRows: 1 });
    const sleepers = `select pid from pg_stat_activity where query like '%pg_sleep(30)%' and state = 'active' and pid <> pg_backend_pid()`;
    await waitFor(async () => (await database.sql(sleepers)).length === 1, { what: 'the query' });
    const startedAt = performance.now();
    await Promise.all([
      closing.close(),
      closing.close(),
      expect(running).rejects.toThrow(/abort|timeout/),
      expect(waiting).rejects.toThrow('abort'),
    ]);
    expect(performance.now() - startedAt).toBeLessThan(1000);
    await waitFor(async () => (await database.sql(sleepers)).length === 0, { what: 'the end of the query' });
    await expect(closing.query({ text: 'select 1', values: [], timeoutMs: 100, maxRows: 1 })).rejects.toThrow('abort');
  });

  it('cannot write though the session would let it, and keeps nothing in the session', async () => {
    await expect(ask(`select set_config('transaction_read_only', 'off', true), writes()`)).rejects.toMatchObject({
      reason: expect.stringMatching(/read_only|other/),
    });
    expect(await database.sql('select count(*)::int as n from t')).toEqual([{ n: 0 }]);
    await ask('select 1');
    const { rows } = await ask(
      `select current_setting('transaction_isolation') as isolation, current_setting('statement_timeout') as timeout`,
      1500,
    );
    expect(rows).toEqual([{ isolation: 'repeatable read', timeout: '1500ms' }]);
  });

  it('takes one statement, so that none can leave the transaction', async () => {
    const escape = 'select 1) as a; commit; insert into t values (1); select * from (select 1';
    await expect(ask(escape)).rejects.toMatchObject({ reason: 'other' });
    expect(await database.sql('select count(*)::int as n from t')).toEqual([{ n: 0 }]);
    expect((await ask('select 1 as one -- which may end in a comment')).rows).toEqual([{ one: 1 }]);
    expect((await ask(' show server_encoding')).rows).toEqual([{ server_encoding: 'UTF8' }]);
  });

  it('gives values as the server wrote them, where that is asked for, and the types of the columns', async () => {
    const text = `select 9007199254740993::bigint as big, true as yes, null::int as nothing, now()::date as day`;
    const { rows, columns } = await pool.query({ text, values: [], timeoutMs: 2000, maxRows: 1, parsed: 'none' });
    expect(rows).toMatchObject([{ big: '9007199254740993', yes: 't', nothing: null }]);
    expect(rows[0]?.['day']).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect([...columns]).toEqual([['big', 20], ['yes', 16], ['nothing', 23], ['day', 1082]]); // prettier-ignore
  });

  it('may be closed while its connections fail', async () => {
    const dropping = createServer((socket) => setTimeout(() => socket.destroy(), 100)).listen(0, '127.0.0.1');
    await once(dropping, 'listening');
    const { port } = dropping.address() as AddressInfo;
    const datasource = new Secret(Object.assign(new URL(database.url), { port: String(port) }).href);
    const closing = new ReadOnlyPool({ ...settings(), datasource, maxConnections: 3 });
    const query = { text: 'select 1', values: [], timeoutMs: 2000, maxRows: 1 };
    const failures = Promise.allSettled([1, 2, 3].map(async () => await closing.query(query)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await closing.close();
    expect((await failures).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    dropping.close();
  });

  it('makes do with the connections that it has while the server refuses another one', async () => {
    const role = `${database.pollerRole}_one`;
    await database.sql(`create role ${role} login password 'secret' connection limit 1`);
    const datasource = new Secret(Object.assign(new URL(database.url), { username: role, password: 'secret' }).href);
    const narrow = new ReadOnlyPool({ ...settings(), datasource, maxConnections: 3 });
    const pid = async (sleepS: number): Promise<unknown> => {
      const text = `select pg_backend_pid() as pid from pg_sleep(${sleepS})`;
      return (await narrow.query({ text, values: [], timeoutMs: 5000, maxRows: 1 })).rows[0]?.['pid'];
    };
    const first = await pid(0);
    const others = await Promise.all([0.3, 0.2, 0.1, 0, 0, 0].map(pid));
    expect(new Set(others)).toEqual(new Set([first]));
    expect(narrow.usage).toEqual({ idle: 1, used: 0, waiting: 0 });
    await narrow.close();
    await database.sql(`drop role ${role}`);
  });

  it('fails if the server refuses its only connection', async () => {
    const role = `${database.pollerRole}_none`;
    await database.sql(`create role ${role} login password 'secret' connection limit 0`);
    const datasource = new Secret(Object.assign(new URL(database.url), { username: role, password: 'secret' }).href);
    const refused = new ReadOnlyPool({ ...settings(), datasource, maxConnections: 3 });
    const one = { text: 'select 1', values: [], timeoutMs: 2000, maxRows: 1 };
    const failures = await Promise.allSettled([1, 2, 3].map(async () => await refused.query(one)));
    expect(failures).toMatchObject(failures.map(() => ({ reason: { reason: 'too_many_connections' } })));
    await database.sql(`alter role ${role} connection limit 1`);
    expect((await refused.query(one)).rows).toHaveLength(1);
    await refused.close();
    await database.sql(`drop role ${role}`);
  });

  it('outlives the end of its idle connection', async () => {
    await ask('select 1');
    await database.sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'siphon'`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await ask('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

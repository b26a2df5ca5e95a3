import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/collector/config/secret.ts';
import { ReadOnlyPool } from '../../../src/postgres/read-only-pool.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';

describe('ReadOnlyPool', () => {
  let database: TestPostgres;
  let pool: ReadOnlyPool;
  beforeAll(async () => {
    database = await startTestPostgres({ schema: false });
    const datasource = new Secret(database.url);
    pool = new ReadOnlyPool({
      datasource,
      maxConnections: 1,
      connectTimeoutMs: 5000,
      lockTimeoutMs: 1000,
      onConnect: () => undefined,
    });
    await database.sql(`create table t (n int);
      create function writes() returns int language sql as 'insert into t values (1) returning n'`);
  });
  afterAll(async () => {
    await pool.close();
    await database[Symbol.asyncDispose]();
  });

  const ask = (text: string, timeoutMs = 2000) => pool.query({ text, values: [], timeoutMs, maxRows: 2 });

  it('refuses a write that hides in a function', async () => {
    await expect(ask('select writes()')).rejects.toMatchObject({ reason: 'read_only' });
    expect(await database.sql('select count(*)::int as n from t')).toEqual([{ n: 0 }]);
  });

  it('ends a query at its timeout and uses the connection on', async () => {
    await expect(ask('select pg_sleep(30)', 100)).rejects.toMatchObject({ reason: 'timeout' });
    expect((await ask('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  it('says what is missing, and that there are too many rows', async () => {
    await expect(ask('select * from nowhere')).rejects.toMatchObject({ reason: 'missing_table' });
    await expect(ask('select m from t')).rejects.toMatchObject({ reason: 'missing_column' });
    await expect(ask('select generate_series(1, 3)')).rejects.toMatchObject({ reason: 'too_many_rows' });
  });

  it('outlives the end of its idle connection', async () => {
    await ask('select 1');
    await database.sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'siphon'`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await ask('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

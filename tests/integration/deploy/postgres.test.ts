import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createIndexes,
  createPollerRole,
  grantScrapePipeline,
  shippedSql,
  statementsOf,
} from '../../../examples/postgres/shipped-sql.ts';
import { Secret } from '../../../src/engine/schema/secret.ts';
import { ReadOnlyPool } from '../../../src/postgres/read-only-pool.ts';
import { runSql, startTestPostgres, type TestPostgres } from '../../support/postgres/test-postgres.ts';
import { waitFor } from '../../support/wait-for.ts';

describe('what is shipped for the polled database', () => {
  let database: TestPostgres;
  beforeAll(async () => {
    database = await startTestPostgres();
    await database.sql('create table wages (amount numeric)');
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const asPoller = (text: string): Promise<Record<string, unknown>[]> => runSql(database.pollerUrl, text);

  it('the role can write nowhere, though it forgets that it only reads', async () => {
    await expect(asPoller(`insert into roasters (name, slug, platform) values ('n', 's', 'custom')`)).rejects.toThrow(
      'read-only transaction',
    );
    const insisting = `set session characteristics as transaction read write; begin; set transaction read write;`;
    const [{ server_version_num: version } = {}] = await asPoller('show server_version_num');
    // Older versions let everybody create tables in the schema public.
    const create = Number(version) < 150_000 ? [] : ['create table t ()'];
    for (const write of ['delete from prices', 'truncate coffees', 'create schema s', ...create]) {
      await expect(asPoller(`${insisting} ${write}`)).rejects.toThrow('permission denied');
    }
  });

  it('the role reads the tables that are named and no other', async () => {
    await expect(asPoller('select * from wages')).rejects.toThrow('permission denied');
    for (const table of [
      'roasters',
      'product_sources',
      'scrape_runs',
      'scrape_artifacts',
      'coffees',
      'variants',
      'prices',
    ])
      await asPoller(`select from ${table}`);
    const [{ seen } = {}] = await asPoller(
      `select count(*) filter (where query = '<insufficient privilege>')::int as seen from pg_stat_activity`,
    );
    expect(seen).toBe(0);
  });

  it('the role is bound by time limits without asking for them', async () => {
    const names = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];
    for (const name of names) expect((await asPoller(`show ${name}`))[0]?.[name]).toMatch(/^(1min|5s)$/);
  });

  it('the role has room for the pool, the lock of the leader and one more, and no further', async () => {
    const clients: Client[] = [];
    const open = async (): Promise<void> => {
      const client = new Client({ connectionString: database.pollerUrl });
      await client.connect();
      clients.push(client);
    };
    const sessions = `select from pg_stat_activity where usename = '${database.pollerRole}'`;
    await waitFor(async () => (await database.sql(sessions)).length === 0, { what: 'the end of earlier sessions' });
    for (let i = 0; i < 4; i++) await open();
    await expect(open()).rejects.toMatchObject({ code: '53300' });
    await Promise.all(clients.map((client) => client.end()));
  });

  it('the role can be made again, and taken back without a trace', async () => {
    const name = `siphon_test_${randomBytes(6).toString('hex')}`;
    const traces = `select count(*)::int as n from pg_class, aclexplode(relacl) where grantee = (select oid from pg_roles where rolname = '${name}')`;
    await createPollerRole(database.url, name);
    const url = await createPollerRole(database.url, name);
    await grantScrapePipeline(database.url, name);
    expect(await database.sql(traces)).toEqual([{ n: 7 }]);
    const left = new Client({ connectionString: url });
    left.on('error', () => undefined);
    await left.connect();
    await database.sql('alter table prices enable row level security');
    await grantScrapePipeline(database.url, name);
    expect(await database.sql('select from pg_policy')).toHaveLength(1);
    for (let i = 0; i < 2; i++) await database.sql(await shippedSql('role-undo.sql', name));
    expect(await database.sql(`select from pg_roles where rolname = '${name}'`)).toEqual([]);
    expect(await database.sql('select from pg_policy')).toEqual([]);
    await database.sql('alter table prices disable row level security');
  });

  it('row level security hides every row from the role until it has a policy', async () => {
    await database.sql(`
      insert into roasters (name, slug, platform) values ('n', 's', 'custom');
      alter table roasters enable row level security;
      alter table wages enable row level security`);
    expect(await asPoller('select from roasters')).toHaveLength(0);
    await grantScrapePipeline(database.url, database.pollerRole);
    await grantScrapePipeline(database.url, database.pollerRole);
    expect(await asPoller('select from roasters')).toHaveLength(1);
    expect(await database.sql('select polrelid::regclass::text as name from pg_policy')).toEqual([
      { name: 'roasters' },
    ]);
    await database.sql('drop policy siphon_reads on roasters; alter table roasters disable row level security');
  });

  it('the indexes are built, and can be taken back and built again', async () => {
    const indexes = `select relname, indisvalid from pg_index join pg_class on oid = indexrelid where relname like 'siphon%' order by 1`;
    const built = await database.sql(indexes);
    expect(built.map(({ indisvalid }) => indisvalid)).toEqual(Array.from({ length: 6 }, () => true));
    const undo = statementsOf(await shippedSql('scrape-pipeline-undo.sql', `siphon_test_nobody`));
    for (const statement of undo) await database.sql(statement);
    expect(await database.sql(indexes)).toEqual([]);
    await createIndexes(database.url);
    await createIndexes(database.url);
    expect(await database.sql(indexes)).toEqual(built);
  });

  it('a query of the poller runs as this role in the limits that it sets itself', async () => {
    const pool = new ReadOnlyPool({
      datasource: new Secret(database.pollerUrl),
      maxConnections: 2,
      connectTimeoutMs: 5000,
      lockTimeoutMs: 1000,
      onConnect: () => undefined,
    });
    const text = `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock, current_user::text as who`;
    const { rows } = await pool.query({ text, values: [], timeoutMs: 90_000, maxRows: 1 });
    expect(rows).toEqual([{ statement: '90s', lock: '1s', who: database.pollerRole }]);
    await pool.close();
  });
});

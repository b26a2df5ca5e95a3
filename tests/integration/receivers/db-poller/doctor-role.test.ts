/** The findings of `siphon doctor` about the role; its repairs suffice. */
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Finding } from '../../../../src/engine/component.ts';
import { dbPollerReceiver } from '../../../../src/components/receivers/db-poller/factory.ts';
import { packs as builtInPacks } from '../../../../src/packs/index.ts';
import { findingsOf } from '../../../support/components/findings.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { provokedFindings } from './provoked.ts';

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres({ schema: false });
  await database.sql('create table prices (id int primary key)');
});
afterAll(() => database[Symbol.asyncDispose]());

const flaws = async (datasource = database.pollerUrl): Promise<Finding[]> => {
  const found = await findingsOf(dbPollerReceiver(builtInPacks), { datasource, packs: { postgres_health: {} } });
  return found.filter(({ severity }) => severity === 'error' || severity === 'warning');
};

const provoked = async (breaking: string, mending?: string): Promise<Finding[]> =>
  await provokedFindings(database, flaws, { breaking, ...(mending !== undefined && { mending }) });

it('is a superuser', async () => {
  const found = await flaws(database.url);
  expect(found.map(({ what }) => what)).toEqual([
    expect.stringContaining('is a superuser'),
    expect.stringContaining('may start write transactions'),
    expect.stringContaining('has no statement_timeout'),
  ]);
});

it.each([
  [
    'may start write transactions',
    'alter role ROLE set default_transaction_read_only = off',
    'may start write transactions',
  ],
  ['has no statement_timeout', 'alter role ROLE set statement_timeout = 0', 'has no statement_timeout'],
  [
    'has no limit for idle transactions',
    'alter role ROLE set idle_in_transaction_session_timeout = 0',
    'has no idle_in_transaction_session_timeout',
  ],
  [
    'has too few connections',
    'alter role ROLE connection limit 2',
    'may have 2 connections, and the poller uses up to 3',
  ],
  ['may not see other sessions', 'revoke pg_read_all_stats from ROLE', 'may not see the activity of other sessions'],
])('%s', async (_, breaking, what) => {
  const found = await provoked(breaking.replace('ROLE', database.pollerRole));
  expect(found).toMatchObject([
    { severity: 'warning', what: `role ${database.pollerRole} ${what}${found[0]?.what.split(what)[1]}` },
  ]);
});

it('may write, like that of the application: its settings must not be changed, and none of its other flaws is hidden', async () => {
  const role = database.pollerRole;
  const settings = ['default_transaction_read_only', 'statement_timeout', 'idle_in_transaction_session_timeout'];
  const [before] = await database.sql(`select rolconfig as config from pg_roles where rolname = '${role}'`);
  const restored = (before!['config'] as string[]).map(
    (text) => `alter role ${role} set ${text.replace('=', " = '")}'`,
  );
  const found = await provoked(
    `grant insert on prices to ${role}; revoke pg_read_all_stats from ${role};
     ${settings.map((name) => `alter role ${role} set ${name} = 0`).join('; ')}`,
    `revoke insert on prices from ${role}; grant pg_read_all_stats to ${role}; ${restored.join('; ')}`,
  );
  expect(found.map(({ what }) => what)).toEqual([
    `role ${role} may write tables, but siphon needs only read access`,
    `role ${role} may start write transactions`,
    expect.stringContaining('may not see the activity of other sessions'),
    expect.stringContaining('has no statement_timeout and no idle_in_transaction_session_timeout'),
  ]);
  const [first, ...others] = found.map(({ repair }) => repair);
  expect(first).toMatch(/^Create the role that siphon doctor --sql prints/);
  for (const repair of others) expect(repair).toMatch(/^The role that siphon doctor --sql prints/);
});

it('may create tables, like the owner of an empty database: its settings must not be changed', async () => {
  const role = database.pollerRole;
  const schema = 'grant create on schema public to';
  const found = await provoked(
    `${schema} ${role}; alter role ${role} set default_transaction_read_only = off`,
    `revoke create on schema public from ${role}; alter role ${role} set default_transaction_read_only = on`,
  );
  const [{ version }] = (await database.sql(`select current_setting('server_version_num')::int as version`)) as [
    { version: number },
  ];
  // Before, every role may create tables there.
  if (version < 150_000) return;
  expect(found.map(({ what }) => what)).toEqual([
    `role ${role} may create tables, but siphon needs only read access`,
    `role ${role} may start write transactions`,
  ]);
  expect(found.map(({ repair }) => repair)).toEqual([
    expect.stringMatching(/^Create the role that siphon doctor --sql prints/),
    expect.stringMatching(/^The role that siphon doctor --sql prints/),
  ]);
});

it('is cut off by transaction_timeout before a query is', async (context) => {
  const [known] = await database.sql(`select from pg_settings where name = 'transaction_timeout'`);
  if (known === undefined) return context.skip('the server has no transaction_timeout');
  const found = await provoked(`alter role ${database.pollerRole} set transaction_timeout = '4s'`);
  expect(found).toMatchObject([{ severity: 'warning', what: expect.stringContaining('after 4000 ms') }]);
  await database.sql(`alter role ${database.pollerRole} reset transaction_timeout`);
});

it('finds few connections left', async (context) => {
  if (database.server === undefined) return context.skip('the server is not ours to fill');
  const [row] = await database.sql(`
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true)::int, 0)
           - (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as free`);
  const taken = Array.from({ length: Number(row!['free']) - 1 }, () => new Client({ connectionString: database.url }));
  await Promise.all(taken.map((client) => client.connect()));
  const found = await flaws();
  await Promise.all(taken.map((client) => client.end()));
  expect(found).toMatchObject([
    { severity: 'warning', what: expect.stringMatching(/^the database has \d connections? left/) },
  ]);
});

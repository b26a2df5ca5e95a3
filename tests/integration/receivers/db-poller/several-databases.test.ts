import { dbPollerReceiver } from '../../../../src/components/receivers/db-poller/factory.ts';
import { dbPollerConfig } from '../../../../src/components/receivers/db-poller/config.ts';
import { packs as builtInPacks } from '../../../../src/packs/index.ts';
import { findingsOf } from '../../../support/components/findings.ts';
import * as v from 'valibot';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runSql, startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

let database: TestPostgres;
let stock: string;
let billing: string;
beforeAll(async () => {
  database = await startTestPostgres({ schema: false });
  stock = await another('stock');
  billing = await another('billing');
  await database.sql('create table orders (id int); insert into orders select generate_series(1, 500); analyze orders');
  await database.sql(`alter role ${database.pollerRole} connection limit 30`);
  await runSql(urlOf(stock), 'create table shelves (id int); insert into shelves select generate_series(1, 700); analyze shelves; create sequence numbers'); // prettier-ignore
  await runSql(urlOf(billing), 'create table bills (id int)');
});
afterAll(async () => {
  for (const name of [stock, billing]) await database.sql(`drop database if exists ${name} with (force)`);
  await database[Symbol.asyncDispose]();
});

function own(): string {
  return new URL(database.url).pathname.slice(1);
}

async function another(name: string): Promise<string> {
  await database.sql(`create database ${own()}_${name}`);
  return `${own()}_${name}`;
}

function urlOf(name: string): string {
  return Object.assign(new URL(database.url), { pathname: `/${name}` }).href;
}

const queries = Object.fromEntries(
  ['tables', 'size', 'databases', 'sequences'].map((name) => [name, { collection_interval: '200ms' }]),
);

async function started(settings: Record<string, unknown>): Promise<PollerUnderTest> {
  const packs = { postgres_health: { queries, tables: ['public.orders'] } };
  return await PollerUnderTest.start({ datasource: database.pollerUrl, packs, collection_interval: '100ms', ...settings }); // prettier-ignore
}

function instanceOf(name: string): string {
  const { hostname, port } = new URL(database.url);
  return `${hostname}:${port}/${name}`;
}

it('reads the tables of each database, and what concerns the server once', async () => {
  await using poller = await started({ databases: [stock, billing, own()] });
  await waitFor(() => poller.seriesOf(instanceOf(stock)).get('database.table.rows{state=live,table=public.shelves}') === 700, { what: 'the tables of stock' }); // prettier-ignore
  await waitFor(() => poller.seriesOf(instanceOf(billing)).has('database.table.size{table=public.bills}'), { what: 'billing' }); // prettier-ignore
  await waitFor(() => poller.seriesOf(instanceOf(own())).has('database.connections.used{}'), { what: 'the server' });
  await waitFor(() => poller.seriesOf(instanceOf(own())).get('database.table.rows{state=live,table=public.orders}') === 500, { what: 'its tables' }); // prettier-ignore
  for (const name of [stock, billing]) {
    const names = new Set([...poller.seriesOf(instanceOf(name)).keys()].map((key) => key.split('{', 1)[0]));
    expect(names).toContain('database.size');
    expect([...names].filter((one) => /^database\.(?:each|version|wal|server|connections\.used|slots)/.test(one!))).toEqual([]); // prettier-ignore
  }
  expect(poller.instances).toEqual(new Set([own(), stock, billing].map(instanceOf)));
  expect(await poller.own(`success_age_seconds{query="postgres_health.size@${stock}"}`)).toBeLessThan(5);
  expect(poller.logText).not.toContain('public.orders');
});

it('polls all databases but those that are excluded, also new ones, until they are dropped', async () => {
  await using poller = await started({ databases: 'all', exclude_databases: [billing, 'postgres'] });
  const has = (name: string, value: boolean) => async () =>
    await Promise.resolve((poller.seriesOf(instanceOf(name)).get('database.size{}') !== undefined) === value);
  await waitFor(has(stock, true), { what: 'stock' });
  const later = await another('later');
  await waitFor(has(later, true), { what: 'a new database' });
  expect(poller.instances).not.toContain(instanceOf(billing));
  await database.sql(`drop database ${later} with (force)`);
  await waitFor(has(later, false), { what: 'its end' });
  await waitFor(async () => (await poller.own(`success_age_seconds{query="postgres_health.size@${later}"}`)) === undefined, { what: 'the end of its age' }); // prettier-ignore
  expect(poller.seriesOf(instanceOf(stock)).get('database.size{}')).toBeDefined();
});

it('polls the others while one refuses connections, and names it in the log', async () => {
  await database.sql(`alter database ${billing} allow_connections false`);
  try {
    await using poller = await started({ databases: [billing, stock] });
    await waitFor(() => poller.seriesOf(instanceOf(stock)).has('database.size{}'), { what: 'stock' });
    await waitFor(() => poller.log.some((line) => line['msg'] === 'Database cannot be polled'), { what: 'the line' });
    expect(poller.log.find((line) => line['msg'] === 'Database cannot be polled')).toMatchObject({ database: instanceOf(billing) }); // prettier-ignore
    expect(poller.seriesOf(instanceOf(own())).has('database.version{}')).toBe(true);
    await database.sql(`alter database ${billing} allow_connections true`);
    await waitFor(() => poller.seriesOf(instanceOf(billing)).has('database.size{}'), { what: 'its return' });
  } finally {
    await database.sql(`alter database ${billing} allow_connections true`);
  }
});

it('is examined by doctor in each database', async () => {
  const config = { datasource: database.pollerUrl, databases: [stock, `${own()}_gone`], packs: { postgres_health: {} }, leader_election: { enabled: false } }; // prettier-ignore
  const found = await findingsOf(dbPollerReceiver(builtInPacks), config);
  const ofStock = found.filter(({ what }) => what.startsWith(`database ${stock}: `));
  expect(ofStock.map(({ severity }) => severity)).toEqual(['note', 'ok', 'note']);
  expect(ofStock[1]?.what).toMatch(/: \d+ queries answer; the slowest, postgres_health/);
  const ofGone = found.filter(({ what }) => what.startsWith(`database ${own()}_gone: `));
  expect(ofGone).toMatchObject([{ severity: 'error', what: expect.stringContaining('cannot connect: the database of the datasource does not exist') }]); // prettier-ignore
});

it('is prepared by doctor --sql in each database, and reverted', async () => {
  const role = `${own()}_other`;
  const config = await v.parseAsync(dbPollerConfig(builtInPacks), { datasource: database.url, databases: 'all', exclude_databases: [billing], packs: { postgres_health: {} } }); // prettier-ignore
  const { apply, undo } = await dbPollerReceiver(builtInPacks).setup!({ role }, config);
  const mayRead = async (): Promise<unknown> => (await runSql(urlOf(stock), `select has_sequence_privilege('${role}', 'numbers', 'select') as may`))[0]!['may']; // prettier-ignore
  await inPsql(apply);
  expect(await mayRead()).toBe(true);
  await inPsql(apply);
  await inPsql(undo);
  expect(await database.sql(`select from pg_roles where rolname = '${role}'`)).toEqual([]);
  await inPsql(undo);
});

/** Runs the statements as psql does, which connects to the database of each \\connect. */
async function inPsql(script: string): Promise<void> {
  let url = database.url;
  for (const part of script.split(/^(?=\\connect )/m)) {
    const [command = '', name] = /^\\connect -reuse-previous=on "(.+)"\n/.exec(part) ?? [];
    if (name !== undefined) url = urlOf(name);
    await runSql(url, part.slice(command.length));
  }
}

it.each([
  [{ databases: 'some' }, 'databases', /all, or a list/],
  [{ databases: Array.from({ length: 21 }, (_, i) => `d${i}`) }, 'databases', /at most 20/],
  [{ exclude_databases: ['a'] }, 'exclude_databases', /needs databases: all/],
  [{ databases: ['a'], wake_interval: '1h', leader_election: { enabled: false } }, 'databases', /wake_interval/],
  [{ databases: ['a'], resource_attributes: { 'service.instance.id': 'x' } }, 'databases', /distinguishes/],
])('refuses %j', async (settings, path, message) => {
  const config = { datasource: 'postgresql://db/shop', packs: { postgres_health: {} }, ...settings };
  const { issues } = await v.safeParseAsync(dbPollerConfig(builtInPacks), config);
  expect(issues?.map((issue) => [v.getDotPath(issue), issue.message])).toEqual([[path, expect.stringMatching(message)]]); // prettier-ignore
});

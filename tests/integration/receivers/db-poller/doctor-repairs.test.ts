/** Repairs that siphon doctor advises for counters are followed to the letter: no row is lost, and none counts twice. */
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Finding } from '../../../../src/engine/component.ts';
import { dbPollerReceiver } from '../../../../src/components/receivers/db-poller/factory.ts';
import { packs as builtInPacks } from '../../../../src/packs/index.ts';
import { findingsOf } from '../../../support/components/findings.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { counting, settled, shows, staysAt } from './counter-under-test.ts';

type Query = Readonly<Record<string, unknown>>;

interface Advice {
  readonly tables: string;
  readonly query: Query;
  readonly found: string;
  /** The query after the repair, from the text of the repair. */
  readonly repaired: (query: Query, repair: string) => Query;
  /** One transaction after another. */
  readonly writes: readonly string[];
  readonly total: number;
}

const withKey = (query: Query, repair: string): Query => {
  const [, columns = ''] = /Set key: \[([^\]]+)\]/.exec(repair) ?? [];
  return { ...query, key: columns.split(', ') };
};

const insert = (table: string, rows: number, more = ''): string =>
  `insert into ${table} (id${more === '' ? '' : ', at'}) select n${more} from generate_series(1, ${rows}) n`;

const advice: Readonly<Record<string, Advice>> = {
  'an append-only table whose rows are updated': {
    tables: `create table shop.orders (id int primary key, state int); insert into shop.orders values (0); update shop.orders set state = 1`,
    query: { table: 'shop.orders', append_only: true },
    found: 'rows of shop.orders are updated',
    repaired: (query, repair) => ({ ...query, append_only: !repair.startsWith('Remove append_only') }),
    writes: [insert('shop.orders', 100), 'update shop.orders set state = 2', 'update shop.orders set state = 3'],
    total: 100,
  },
  'a column of the partitions in the key': {
    tables: `create table shop.orders (id int, at date, primary key (id, at)) partition by range (at);
      create table shop.january partition of shop.orders for values from ('2026-01-01') to ('2026-02-01');
      create table shop.february partition of shop.orders for values from ('2026-02-01') to ('2026-03-01')`,
    query: { table: 'shop.orders' },
    found: 'decides the partition of shop.orders',
    repaired: withKey,
    writes: [
      insert('shop.orders', 100, `, date '2026-01-05'`),
      `update shop.orders set at = '2026-02-05' where id <= 30`,
    ],
    total: 100,
  },
  'a partitioned table that is append-only': {
    tables: `create table shop.orders (id int, at date, primary key (id)) partition by hash (id);
      create table shop.even partition of shop.orders for values with (modulus 2, remainder 0);
      create table shop.odd partition of shop.orders for values with (modulus 2, remainder 1)`,
    query: { table: 'shop.orders', append_only: true, key: ['id'] },
    found: 'shop.orders is partitioned',
    repaired: (query, repair) => ({ ...query, append_only: !repair.startsWith('Remove append_only') }),
    writes: [insert('shop.orders', 100), 'alter table shop.orders alter at type text', 'update shop.orders set at = null'], // prettier-ignore
    total: 100,
  },
  'tables that inherit': {
    tables: `create table shop.orders (id int primary key); create table shop.old () inherits (shop.orders); create table shop.new () inherits (shop.orders)`,
    query: { table: 'shop.orders', key: ['id'] },
    found: 'other tables inherit from shop.orders',
    repaired: withKey,
    writes: [insert('shop.old', 60), insert('shop.new', 60), insert('shop.orders', 60)],
    total: 180,
  },
  'a key that is not unique': {
    tables: `create table shop.orders (id int primary key, number int); insert into shop.orders values (-1, 1)`,
    query: { table: 'shop.orders', key: ['number'] },
    found: 'number is not covered by a unique index',
    repaired: withKey,
    writes: ['insert into shop.orders select n, 5 from generate_series(1, 40) n'],
    total: 40,
  },
  'a table without a primary key': {
    tables: `create table shop.orders (id int not null unique)`,
    query: { table: 'shop.orders' },
    found: 'table shop.orders has no primary key',
    repaired: withKey,
    writes: [insert('shop.orders', 40), 'update shop.orders set id = id'],
    total: 40,
  },
  'a state that rows leave': {
    tables: `create table shop.orders (id int primary key, state text, paid_at timestamptz); insert into shop.orders values (0); update shop.orders set state = 'x'`,
    query: { table: 'shop.orders', where: `state = 'paid'` },
    found: 'for less than a poll does not count',
    repaired: (query, repair) => ({ ...query, where: /for example (.+?),/.exec(repair)?.[1] }),
    writes: [
      insert('shop.orders', 20),
      `begin; update shop.orders set state = 'paid', paid_at = now() where id > 0; commit;
       update shop.orders set state = 'shipped' where id <= 10`,
    ],
    total: 20,
  },
  'a condition that depends on the time': {
    tables: `create table shop.orders (id int primary key, paid_at timestamptz)`,
    query: { table: 'shop.orders', where: 'paid_at < now()' },
    found: 'where uses now',
    repaired: (query, repair) => ({ ...query, where: /for example (.+)$/.exec(repair)?.[1] }),
    writes: [insert('shop.orders', 20), 'update shop.orders set paid_at = now()'],
    total: 20,
  },
};

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres({ schema: false, parameters: { wal_writer_delay: '10ms' } });
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.sql('drop schema if exists shop cascade; create schema shop');
});

const findings = async (query: Query): Promise<Finding[]> => {
  await database.sql(`
    grant usage on schema shop to ${database.pollerRole}; grant select on all tables in schema shop to ${database.pollerRole}`);
  const found = await findingsOf(dbPollerReceiver(builtInPacks), {
    datasource: database.pollerUrl,
    storage: 'file_storage',
    leader_election: { enabled: false },
    queries: [{ name: 'orders', kind: 'counter', metric_name: 'orders', ...query }],
  });
  return found.filter(({ severity }) => severity !== 'ok' && severity !== 'note');
};

it.each(Object.keys(advice))('%s: the repair counts exactly, and doctor is content', async (flaw) => {
  const { tables, query, found, repaired, writes, total } = advice[flaw]!;
  await database.sql(tables);
  const [finding, ...others] = await findings(query);
  expect(others).toEqual([]);
  expect(finding?.what).toContain(found);
  const better = repaired(query, finding!.repair!);
  expect(better).not.toEqual(query);
  expect(await findings(better)).toEqual([]);
  await using poller = await counting(database.pollerUrl, better, { leader_election: { enabled: false } });
  for (const write of writes) {
    await database.sql(write);
    await settled(poller);
  }
  await staysAt(poller, total);
});

it.skipIf(process.env['SIPHON_TEST_POSTGRES_URL'] !== undefined)('an unlogged table is counted after a crash as well, if it is append-only', async () => {
  await database.sql('create unlogged table shop.orders (id bigint generated always as identity primary key)');
  const query = { table: 'shop.orders' };
  const [finding] = await findings(query);
  expect(finding?.what).toContain('shop.orders is unlogged: a crash of the server empties it');
  expect(finding?.repair).toContain('set append_only');
  const better = { ...query, append_only: true };
  expect(await findings(better)).toEqual([]);
  await using poller = await counting(database.pollerUrl, better, { leader_election: { enabled: false } });
  await database.sql('insert into shop.orders select from generate_series(1, 50)');
  await shows(poller, 50);
  const victim = new Client({ connectionString: database.url });
  victim.on('error', () => undefined);
  await victim.connect();
  const { rows } = await victim.query<{ pid: number }>('select pg_backend_pid() as pid');
  process.kill(rows[0]!.pid, 'SIGKILL');
  const again = async (): Promise<unknown> => await database.sql('insert into shop.orders select from generate_series(1, 30)').catch(() => undefined);
  await expect.poll(again, { timeout: 20_000 }).toBeDefined();
  expect(await database.sql('select count(*)::int as n from shop.orders')).toEqual([{ n: 30 }]);
  await staysAt(poller, 80);
}); // prettier-ignore

it('the index that doctor asks for changes no number', async () => {
  await database.sql(`
    create table shop.orders (id bigint primary key, created_at timestamptz default now());
    update pg_class set reltuples = 5e6 where oid = 'shop.orders'::regclass`);
  const query = { table: 'shop.orders', time_column: 'created_at' };
  const [finding] = await findings(query);
  await using poller = await counting(database.pollerUrl, query, { leader_election: { enabled: false } });
  await database.sql('insert into shop.orders select generate_series(1, 50)');
  await database.sql(finding!.repair!);
  await database.sql('insert into shop.orders select generate_series(51, 80)');
  await shows(poller, 80);
});

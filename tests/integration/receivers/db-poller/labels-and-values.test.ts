import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dbPollerReceiver } from '../../../../src/components/receivers/db-poller/factory.ts';
import { packs as builtInPacks } from '../../../../src/packs/index.ts';
import { findingsOf } from '../../../support/components/findings.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { counting as countingOn, settled, shows } from './counter-under-test.ts';
import { MemoryExtension } from './memory-extension.ts';
import { PollerUnderTest } from './poller-under-test.ts';

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres({ schema: false, parameters: { wal_writer_delay: '10ms' } });
  await database.sql(`
    create schema shop;
    create table shop.roasters (id int primary key, slug text, number int);
    insert into shop.roasters values (1, 'blue', 1), (2, 'green', 1)`);
});
afterAll(() => database[Symbol.asyncDispose]());

const table = async (name: string, columns: string): Promise<void> => {
  await database.sql(`create table shop.${name} (id bigint generated always as identity primary key, ${columns})`);
};
const counting = async (
  query: Record<string, unknown>,
  settings: Record<string, unknown> = {},
  extensions: Record<string, MemoryExtension> = {},
): Promise<PollerUnderTest> => await countingOn(database.url, query, settings, extensions);

const findings = async (query: Record<string, unknown>): Promise<unknown[]> => {
  const counter = { name: 'orders', kind: 'counter', metric_name: 'orders', ...query };
  const config = { datasource: database.pollerUrl, storage: 'file_storage', leader_election: { enabled: false }, queries: [counter] }; // prettier-ignore
  await database.sql(`
    grant usage on schema shop to ${database.pollerRole}; grant select on all tables in schema shop to ${database.pollerRole}`);
  return (await findingsOf(dbPollerReceiver(builtInPacks), config)).filter(
    ({ severity }) => severity !== 'ok' && severity !== 'note',
  );
};

describe('labels', () => {
  const labels = [
    'channel',
    { name: 'method', column: 'Payment "Method"' },
    { name: 'site', value: `ber'lin \\` },
    { name: 'roaster', column: 'roaster_id', lookup: { table: 'shop.roasters', column: 'slug' } },
  ];

  it('are columns of any name, columns by another name, constants, and texts of the row that a column refers to', async () => {
    await table('sales', `channel text, "Payment ""Method""" text, "Länge; drop" int, roaster_id int`);
    await using poller = await counting({ table: 'shop.sales', labels: [...labels, 'Länge; drop'] });
    await database.sql(`insert into shop.sales (channel, "Payment ""Method""", roaster_id, "Länge; drop") values ('web', 'card', 1, 5), (null, null, 9, null)`);
    await shows(poller, 1, { series: `orders{Länge; drop=5,channel=web,method=card,roaster=blue,site=ber'lin \\}` });
    await shows(poller, 1, { series: `orders{Länge; drop=unknown,channel=unknown,method=unknown,roaster=unknown,site=ber'lin \\}` });
    await database.sql(`update shop.roasters set slug = 'navy' where id = 1; update shop.sales set roaster_id = 2`);
    await settled(poller);
    expect([...poller.series.keys()].filter((key) => /green|navy/.test(key))).toEqual([]);
    await database.sql(`insert into shop.sales (channel, roaster_id) values ('app', 1)`);
    await shows(poller, 1, { series: `orders{Länge; drop=unknown,channel=app,method=unknown,roaster=navy,site=ber'lin \\}` });
    expect(await findings({ table: 'shop.sales', labels })).toEqual([]);
  }); // prettier-ignore

  it('begin at 0 for existing rows, also those that are looked up, and with constants alone', async () => {
    await table('visits', 'roaster_id int');
    await database.sql('insert into shop.visits (roaster_id) values (2), (2)');
    {
      await using poller = await counting({ table: 'shop.visits', labels: [labels[2], labels[3]] });
      await shows(poller, 0, { series: `orders{roaster=green,site=ber'lin \\}` });
    }
    await using poller = await counting({ table: 'shop.visits', labels: [labels[2]] });
    await shows(poller, 0, { series: `orders{site=ber'lin \\}` });
  });

  it.each([
    ['a missing table', { table: 'shop.nowhere', column: 'slug' }, 'error', 'table shop.nowhere of a lookup does not exist'],
    ['missing columns', { table: 'shop.roasters', key: 'a', column: 'b' }, 'error', 'table shop.roasters has no column a, b'],
    ['a key without a unique index', { table: 'shop.roasters', key: 'number', column: 'slug' }, 'warning', 'no unique index covers number of shop.roasters'],
  ])('doctor names %s of a lookup', async (_, lookup, severity, what) => {
    await database.sql('create table if not exists shop.looking (id int primary key, roaster_id int)');
    const found = await findings({ table: 'shop.looking', labels: [{ name: 'roaster', column: 'roaster_id', lookup }] });
    expect(found).toContainEqual({ severity, what: expect.stringContaining(what), repair: expect.any(String) });
  }); // prettier-ignore

  it('a lookup that finds two rows fails, and counts nothing', async () => {
    await table('double', 'number int');
    const lookup = { table: 'shop.roasters', key: 'number', column: 'slug' };
    await using poller = await counting({ table: 'shop.double', labels: [{ name: 'roaster', column: 'number', lookup }] });
    await database.sql('insert into shop.double (number) values (1)');
    await expect.poll(() => poller.said('Query failed'), { timeout: 9000 }).toBeGreaterThan(0);
    expect(poller.logText).toContain('more than one row returned by a subquery');
    expect(poller.series.size).toBe(0);
  }); // prettier-ignore
});

it('columns of the key, the time and the value may have any name, also in what doctor advises', async () => {
  await database.sql(`
    create table shop."Odd Orders" ("Order ""No""; --" bigint generated always as identity primary key, "erstellt am" timestamptz default now(),
                                    "Größe (cm)" int, "select" text)`);
  const query = { kind: 'sum', table: 'shop.Odd Orders', time_column: 'erstellt am', value: '"Größe (cm)" * 2', labels: ['select'] };
  await database.sql(`update pg_class set reltuples = 5e6 where oid = 'shop."Odd Orders"'::regclass`);
  const [missing, ...others] = (await findings(query)) as { repair: string }[];
  expect(others).toEqual([]);
  await database.sql(missing!.repair);
  const extensions = { storage: new MemoryExtension() };
  await using poller = await counting(query, { storage: 'storage', reconcile_interval: '300ms' }, extensions);
  await database.sql(`insert into shop."Odd Orders" ("Größe (cm)", "select") select 1, 'a' from generate_series(1, 200)`);
  await shows(poller, 400, { series: 'orders{select=a}' });
  await database.sql(`update shop."Odd Orders" set "Größe (cm)" = 5; insert into shop."Odd Orders" ("Größe (cm)", "erstellt am") values (3, now() - interval '5 h')`);
  await shows(poller, 6, { series: 'orders{select=unknown}' });
  await shows(poller, 400, { series: 'orders{select=a}' });
}); // prettier-ignore

describe('a sum', () => {
  const sum = { kind: 'sum', table: 'shop.amounts', value_column: 'amount', labels: ['country'] };

  it('adds a value once for each key, exactly, and updates change nothing; it survives a restart', async () => {
    await table('amounts', 'country text, amount numeric, paid_at timestamptz');
    const extensions = { storage: new MemoryExtension() };
    {
      await using poller = await counting(sum, { storage: 'storage' }, extensions);
      await database.sql(`insert into shop.amounts (country, amount) select 'DE', 0.1 from generate_series(1, 30000)`);
      await shows(poller, 3000, { series: 'orders{country=DE}' });
      await database.sql(`update shop.amounts set amount = amount * 3`);
      await database.sql(`insert into shop.amounts (country, amount) values ('DE', null), ('DE', 0.05)`);
      await shows(poller, 3000.05, { series: 'orders{country=DE}' });
    }
    await database.sql(`insert into shop.amounts (country, amount) values ('DE', 0.15), ('FR', 9007199254740993)`);
    await using poller = await counting(sum, { storage: 'storage' }, extensions);
    await shows(poller, 3000.2, { series: 'orders{country=DE}' });
    await shows(poller, 9007199254740992, { series: 'orders{country=FR}' });
    expect(await findings(sum)).toEqual([]);
  });

  it('adds the value as it is when the condition first holds', async () => {
    await database.sql('truncate shop.amounts');
    await using poller = await counting({ ...sum, labels: [], where: 'paid_at is not null' });
    await database.sql(`insert into shop.amounts (amount) values (5)`);
    await settled(poller);
    await database.sql(`update shop.amounts set amount = 7, paid_at = now()`);
    await shows(poller, 7);
    await database.sql(`update shop.amounts set amount = 100`);
    await settled(poller);
    await shows(poller, 7);
  });

  it('does not decrease: negative values, and what is not a number, are dropped and reported', async () => {
    await table('notes', 'note numeric');
    await using poller = await counting({ kind: 'sum', table: 'shop.notes', value_column: 'note' });
    await database.sql(`insert into shop.notes (note) values (5), (-3), ('NaN'), (1e2)`);
    await shows(poller, 105);
    expect(await poller.own('dropped_points{query="orders",reason="negative"}')).toBe(1);
    expect(await poller.own('dropped_points{query="orders",reason="not_a_number"}')).toBe(1);
    const found = await findings({ kind: 'sum', table: 'shop.notes', value_column: 'note' });
    expect(found).toContainEqual(expect.objectContaining({ what: 'orders drops 1 negative values: a counter cannot decrease' })); // prettier-ignore
  });

  it('adds each version of an append-only row', async () => {
    await table('lines', 'amount int');
    await using poller = await counting({
      kind: 'sum',
      table: 'shop.lines',
      value_column: 'amount',
      append_only: true,
    });
    await database.sql('insert into shop.lines (amount) values (3), (4)');
    await shows(poller, 7);
    await database.sql('update shop.lines set amount = 10 where amount = 3');
    await shows(poller, 17);
  });

  it('of refunds is a query of its own, with the sign reversed', async () => {
    await table('ledger', 'amount numeric');
    const refunds = { kind: 'sum', table: 'shop.ledger', value: '-amount', where: 'amount < 0' };
    await using poller = await counting(refunds);
    await database.sql('insert into shop.ledger (amount) values (20), (-5.5), (-1)');
    await shows(poller, 6.5);
    expect(await findings(refunds)).toEqual([]);
  });
});

describe('an expression', () => {
  it.each([
    ['a quotient of integers', 'cents / 100', 12.5],
    ['a quotient of columns', '"Net total" / parts', 2.5],
    ['a difference of times, in seconds', 'ended_at - started_at', 5400.5],
    ['half of a difference', '(ended_at - started_at) / 2', 2700.25],
    ['a difference of days, in days', 'last_day - first_day', 3],
    ['functions', 'greatest(abs(-3), coalesce(nothing, 4), round(2.4)) + length(note)', 7],
    ['a product and a sign', '-cents * -2 + 1', 2501],
  ])('is %s: %s', async (_, value, expected) => {
    await database.sql(`
      drop table if exists shop.jobs;
      create table shop.jobs (id int primary key, cents int, "Net total" numeric, parts int, nothing int, note text,
        started_at timestamptz, ended_at timestamptz, first_day date, last_day date)`);
    const query = { kind: 'sum', table: 'shop.jobs', value };
    await using poller = await counting(query);
    await database.sql(`insert into shop.jobs values
      (1, 1250, 10, 4, null, 'abc', '2026-01-01 10:00', '2026-01-01 11:30:00.5', '2026-01-01', '2026-01-04')`);
    await shows(poller, expected);
    expect(await findings(query)).toEqual([]);
  });

  it('is not a value where it divides by 0, or reads NULL', async () => {
    await table('shares', 'a int, b int');
    await using poller = await counting({ kind: 'histogram', table: 'shop.shares', value: 'a / b', buckets: [1] });
    await database.sql('insert into shop.shares (a, b) values (1, 0), (1, null), (3, 2)');
    await shows(poller, 1, { series: 'orders_count{}' });
    await shows(poller, 1.5, { series: 'orders_sum{}' });
    expect(poller.said('Query failed')).toBe(0);
  });

  it('over a missing column is named by doctor', async () => {
    await table('bare', 'a int');
    expect(await findings({ kind: 'sum', table: 'shop.bare', value: 'a + gone' })).toContainEqual({
      severity: 'error',
      what: 'orders counts nothing: table shop.bare has no column gone',
      repair: 'Use existing columns in value',
    });
  });
});

describe('a gauge of a view', () => {
  it.each(['view', 'materialized view'])('shows the rows of a %s, with labels and an expression', async (kind) => {
    await database.sql(`
      create table if not exists shop.tasks (state text, seconds int, roaster_id int);
      truncate shop.tasks; insert into shop.tasks values ('due', 90, 2), ('due', 30, 2), ('done', 5, 1);
      create ${kind} shop."Open Tasks" as select state, sum(seconds) as "Total s", max(roaster_id) as r from shop.tasks group by state`);
    const query = {
      kind: 'gauge',
      table: 'shop.Open Tasks',
      value: '"Total s" / 60',
      labels: ['state', { name: 'roaster', column: 'r', lookup: { table: 'shop.roasters', column: 'slug' } }],
    };
    await using poller = await counting(query);
    await shows(poller, 2, { series: 'orders{roaster=green,state=due}' });
    expect(await findings(query)).toEqual([]);
    expect(await findings({ ...query, labels: [] })).toMatchObject([{ what: expect.stringContaining('several rows have the same labels') }]); // prettier-ignore
    await database.sql(`drop ${kind} shop."Open Tasks"`);
  });

  it('labels of SQL may have other names, also that of the value', async () => {
    await using poller = await counting({
      kind: 'gauge',
      sql: `select 'due' as state, 3 as n`,
      value_column: 'n',
      labels: [{ name: 'n', column: 'state' }, { name: 'site', value: 'x' }],
    });
    await shows(poller, 3, { series: 'orders{n=due,site=x}' });
  }); // prettier-ignore
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { MemoryExtension } from './memory-extension.ts';
import { counting as countingOn, RESTARTED, settled, shows, staysAt } from './counter-under-test.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const counter = { name: 'orders', kind: 'counter', metric_name: 'orders' };

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres({ schema: false, parameters: { wal_writer_delay: '10ms' } });
  await database.sql('create schema shop');
});
afterAll(() => database[Symbol.asyncDispose]());

const counting = async (
  query: Record<string, unknown>,
  settings: Record<string, unknown> = {},
  extensions: Record<string, MemoryExtension> = {},
): Promise<PollerUnderTest> => await countingOn(database.url, query, settings, extensions);

it('counts a partitioned row once when it moves to another partition, without the partition column in the key', async () => {
  await database.sql(`
    create table shop.regional (id bigint generated always as identity, region text, primary key (id, region)) partition by list (region);
    create table shop.regional_eu partition of shop.regional for values in ('eu');
    create table shop.regional_us partition of shop.regional for values in ('us')`);
  await using poller = await counting({ table: 'shop.regional' });
  await database.sql(`insert into shop.regional (region) select 'eu' from generate_series(1, 100)`);
  await shows(poller, 100);
  await database.sql(`update shop.regional set region = 'us' where id <= 30`);
  await staysAt(poller, 100);
});

it('keeps the whole primary key where nothing else identifies a row', async () => {
  await database.sql(`
    create table shop.numbered (shop text, number int, at timestamptz, primary key (shop, number)) partition by list (shop);
    create table shop.numbered_a partition of shop.numbered for values in ('a');
    create table shop.numbered_b partition of shop.numbered for values in ('b')`);
  await using poller = await counting({ table: 'shop.numbered' });
  await database.sql(
    `insert into shop.numbered (shop, number) select s, n from unnest('{a,b}'::text[]) s, generate_series(1, 5) n`,
  );
  await shows(poller, 10);
});

it('counts each row of tables that inherit, also where two have the same key', async () => {
  await database.sql(`
    create table shop.parent (id bigint primary key, created_at timestamptz not null default now());
    create table shop.child_a () inherits (shop.parent); create table shop.child_b () inherits (shop.parent)`);
  await using poller = await counting(
    { table: 'shop.parent', time_column: 'created_at' },
    { reconcile_interval: '300ms' },
  );
  await database.sql('insert into shop.parent select generate_series(1, 90)');
  await shows(poller, 90);
  await database.sql(`
    insert into shop.child_a select generate_series(1, 50), now() - interval '3 h';
    insert into shop.child_b select generate_series(1, 50)`);
  await shows(poller, 190);
});

describe('settings of the session do not change what is counted', () => {
  it.each([
    ['the time zone of a time in the key', `at timestamptz default clock_timestamp()`, `timezone = 'Asia/Kolkata'`],
    ['how bytes are written', `at bytea default sha256(random()::text::bytea)`, `bytea_output = 'escape'`],
    ['how many digits are written', `at float8 default random() / 3`, `extra_float_digits = 0`],
    ['how a span is written', `at interval default random() * interval '1 day'`, `intervalstyle = 'iso_8601'`],
    ['how a day is written', `at date default current_date`, `datestyle = 'German'`],
  ])('%s', async (_, column, setting) => {
    const name = (await database.sql('select current_database() as name'))[0]!['name'] as string;
    await database.sql(`create table shop.timed (id int, ${column}, state int default 0, primary key (id, at))`);
    const extensions = { storage: new MemoryExtension() };
    const query = { table: 'shop.timed', labels: ['at'], max_label_values: 1 };
    {
      await using poller = await counting(query, { storage: 'storage' }, extensions);
      await database.sql('insert into shop.timed (id) select generate_series(1, 100)');
      await waitFor(() => sum(poller) === 100, { what: 'the rows' });
    }
    await database.sql(`alter database ${name} set ${setting}`);
    try {
      await using poller = await counting(query, { storage: 'storage' }, extensions);
      const labels = [...poller.series.keys()];
      await database.sql(`update shop.timed set state = 1; insert into shop.timed (id) values (101)`);
      await waitFor(() => sum(poller) >= 101, { what: 'the new row' });
      await settled(poller);
      expect(sum(poller)).toBe(101);
      expect([...poller.series.keys()]).toEqual(labels);
      expect(poller.said(RESTARTED)).toBe(0);
    } finally {
      await database.sql(`alter database ${name} reset ${setting.split(' ', 1)[0]!}; drop table shop.timed`);
    }
  });
});

it('no setting of the role changes how a value is written', async () => {
  const others = { timezone: 'Asia/Kolkata', datestyle: 'German', intervalstyle: 'iso_8601', bytea_output: 'escape', extra_float_digits: '-5', lc_monetary: 'POSIX', lc_numeric: 'POSIX', lc_time: 'POSIX', xmlbinary: 'hex' }; // prettier-ignore
  for (const [name, value] of Object.entries(others)) await database.sql(`alter role ${database.pollerRole} set ${name} = '${value}'`); // prettier-ignore
  const settings = Object.keys(others).map((name) => `'${name}'`).join(', '); // prettier-ignore
  const sql = `select name, current_setting(name) as value, 1 as n from unnest(array[${settings}]) name`;
  const gauge = { name: 'settings', kind: 'gauge', metric_name: 'settings', sql, value_column: 'n', labels: ['name', 'value'] }; // prettier-ignore
  await using poller = await PollerUnderTest.start({ datasource: database.pollerUrl, queries: [gauge] });
  await waitFor(() => poller.series.size > 0, { what: 'the settings' });
  const fixed = { timezone: 'UTC', datestyle: 'ISO, MDY', intervalstyle: 'postgres', bytea_output: 'hex', extra_float_digits: '1', lc_monetary: 'C', lc_numeric: 'C', lc_time: 'C', xmlbinary: 'base64' }; // prettier-ignore
  expect([...poller.series.keys()].toSorted()).toEqual(Object.entries(fixed).map(([name, value]) => `settings{name=${name},value=${value}}`).toSorted()); // prettier-ignore
  await database.sql(`alter role ${database.pollerRole} reset all`);
});

describe('settings of the role do not change the meaning of a condition', () => {
  it.each([
    ['a backslash', String.raw`note = 'a\b'`, 'standard_conforming_strings = off', 1],
    ['a comparison with NULL', `(note = null) is null`, 'transform_null_equals = on', 3],
    ['an array with NULL', `array[note] <@ '{null,x}'`, 'array_nulls = off', 1],
  ])('%s', async (_, where, setting, rows) => {
    await database.sql(`create table shop.noted (id int primary key, note text); alter role ${database.pollerRole} set ${setting};
      grant usage on schema shop to ${database.pollerRole}; grant select on shop.noted to ${database.pollerRole}`);
    try {
      await using poller = await countingOn(database.pollerUrl, { table: 'shop.noted', where });
      await database.sql(String.raw`insert into shop.noted values (1, 'a\b'), (2, 'x'), (3, null)`);
      await staysAt(poller, rows);
    } finally {
      await database.sql(`drop table shop.noted; alter role ${database.pollerRole} reset ${setting.split(' ', 1)[0]!}`);
    }
  });
});

describe('a condition', () => {
  beforeAll(async () => {
    await database.sql(`
      create table shop.due (id int primary key, due_at timestamptz, state text, "current_date" int);
      create function shop.guess(text) returns boolean language sql as 'select $1 = $$x$$';
      create function shop.late(timestamptz) returns boolean language sql as 'select $1 < now()'`);
  });

  it.each([
    ['the time', 'due_at < now()', 'uses now, which is not immutable'],
    ['the day', 'due_at < current_date', 'uses current_date'],
    ['the user', 'state = current_user', 'uses current_user'],
    ['chance', 'random() < 0.5', 'uses random, which is not immutable'],
    ['a setting', `state = current_setting('a.b', true)`, 'uses current_setting, which is not immutable'],
    ['a function of SQL that uses the time', 'shop.late(due_at)', 'uses now, which is not immutable'],
    ['the time, in a table with partitions', 'at < now()', 'uses now, which is not immutable', 'shop.numbered'],
    ['another table', 'exists (select from shop.regional)', 'reads other rows, in a subquery'],
    ['another row', 'id = (select max(id) from shop.due)', 'reads other rows, in a subquery'],
    ['a list of other rows', 'id in (select id from shop.regional)', 'reads other rows, in a subquery'],
  ])('that depends on %s is refused, with the reason', async (_, where, why, table = 'shop.due') => {
    await using poller = await PollerUnderTest.start({
      datasource: database.url,
      queries: [{ ...counter, table, where }],
    });
    await waitFor(() => poller.said('Query failed') > 0, { what: 'the refusal' });
    expect(poller.log.find(({ msg }) => msg === 'Query failed')?.['err']).toMatchObject({
      message: expect.stringContaining(`where ${why}`),
      repair: expect.stringContaining('paid_at is not null'),
    });
    expect(poller.series.size).toBe(0);
  });

  it.each([
    ['a comment at its end', `state = 'paid' -- not yet shipped`],
    ['a semicolon at its end', `state = 'paid';`],
    ['words like functions in a literal', `state = 'paid' or state = 'now() random('`],
    ['a column with the name of a keyword', `state = 'paid' and "current_date" is null`],
    ['functions that depend on the row alone', `lower(state) = 'paid' and coalesce(extract(year from due_at), 2000) > 1999 and date_trunc('day', due_at) is null`],
  ])('counts with %s', async (_, where) => {
    await database.sql('truncate shop.due');
    await using poller = await counting({ table: 'shop.due', where });
    await database.sql(`insert into shop.due (id, state) values (1, 'paid'), (2, 'open')`);
    await shows(poller, 1);
  }); // prettier-ignore
});

it('counts the rows of an append-only table for which a condition holds, without remembering keys', async () => {
  await database.sql('create table shop.events (id int primary key, kind text)');
  const storage = new MemoryExtension();
  const query = { table: 'shop.events', where: `kind = 'login' -- only these`, append_only: true };
  await using poller = await counting(query, { storage: 'storage' }, { storage });
  await database.sql(
    `insert into shop.events select n, (array['login', 'logout'])[n % 2 + 1] from generate_series(1, 10) n`,
  );
  await shows(poller, 5);
});

it('publishes nothing, with a reason, if more keys than max_keys would be remembered', async () => {
  await database.sql(
    'create table shop.many (id int primary key); insert into shop.many select generate_series(1, 50)',
  );
  const config = {
    datasource: database.url,
    queries: [{ ...counter, table: 'shop.many' }],
    collection_interval: '50ms',
  };
  {
    await using poller = await PollerUnderTest.start({ ...config, max_keys: 49 });
    await expect.poll(() => refused(poller), { timeout: 9000 }).toBe(true);
    expect(poller.series.size).toBe(0);
    expect(poller.logText).toContain('Raise max_keys, set storage');
  }
  const extensions = { storage: new MemoryExtension() };
  {
    await using poller = await counting({ table: 'shop.many' }, { max_keys: 60, storage: 'storage' }, extensions);
    await database.sql('insert into shop.many select generate_series(101, 110)');
    await shows(poller, 10);
    await database.sql('update shop.many set id = id + 1000 where id > 107');
    await expect.poll(() => refused(poller), { timeout: 9000 }).toBe(true);
    expect(poller.series.get('orders{}')).toBeUndefined();
  }
  // Nothing is lost.
  await using poller = await counting({ table: 'shop.many' }, { max_keys: 63, storage: 'storage' }, extensions);
  await staysAt(poller, 13);
});

it('names the key once, which is the default, as unknown', async () => {
  const query = { ...counter, table: 'shop.events', once: true };
  await expect(PollerUnderTest.start({ datasource: database.url, queries: [query] })).rejects.toThrow(/once/);
});

/** The sum of all series. */
function sum({ series }: PollerUnderTest): number {
  return [...series.values()].reduce<number>((all, value) => all + (value ?? 0), 0);
}

async function refused(poller: PollerUnderTest): Promise<boolean> {
  return ((await poller.own('errors{query="orders",reason="too_many_keys"}')) ?? 0) > 0;
}

import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../../../src/engine/component.ts';
import { dbPollerReceiver } from '../../../../src/components/receivers/db-poller/factory.ts';
import { packs as builtInPacks } from '../../../../src/packs/index.ts';
import { findingsOf } from '../../../support/components/findings.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const counter = { name: 'orders', kind: 'counter', metric_name: 'orders', table: 'shop.orders' };
const histogram = { ...counter, kind: 'histogram', value_column: 'amount', buckets: [1, 10] };
const sum = { ...counter, kind: 'sum' };
const gauge = { name: 'queue', kind: 'gauge', metric_name: 'queue', value_column: 'n' };

/** The flaw, the query, and the expected finding. */
const flawed = [
  ['a missing schema', { ...counter, table: 'nowhere.orders' }, 'error', 'NAME counts nothing: schema nowhere does not exist', 'Set table'],
  ['a missing table', { ...counter, table: 'shop.Orders' }, 'error', 'NAME counts nothing: table shop."Orders" does not exist', 'Set table'],
  ['a schema that the role may not use', { ...counter, table: 'vault.gold' }, 'error', 'NAME counts nothing: role ROLE may not use schema vault', 'grant usage on schema vault to ROLE;'],
  ['a table that it may not read', { ...counter, table: 'shop.secret', labels: ['country'] }, 'error', 'NAME counts nothing: role ROLE may not read id, country, xmin of shop.secret', 'grant select on shop.secret to ROLE;'],
  ['missing columns', { ...counter, labels: ['land'], time_column: 'at' }, 'error', 'NAME counts nothing: table shop.orders has no column land, at', 'Use existing columns in labels and time_column'],
  ['a table without a primary key', { ...counter, table: 'shop.bare' }, 'error', 'NAME counts nothing: table shop.bare has no primary key', 'Set key to columns'],
  ['one that has another key', { ...counter, table: 'shop.unkeyed' }, 'error', 'NAME counts nothing: table shop.unkeyed has no primary key', 'Set key: [token]'],
  ['a view', { ...counter, table: 'shop.view' }, 'error', 'NAME counts nothing: the rows of shop.view cannot be counted: it is a view', 'ordinary table'],
  ['a materialized view', { ...counter, table: 'shop.stored' }, 'error', 'NAME counts nothing: the rows of shop.stored cannot be counted: it is a materialized view', 'ordinary table'],
  ['a table with a foreign partition', { ...counter, table: 'shop.mixed', key: ['id'] }, 'error', 'NAME counts nothing: the rows of shop.mixed cannot be counted: it is a foreign table', 'ordinary table'],
  ['a value that is not a number', { ...histogram, value_column: 'tags' }, 'error', 'NAME counts nothing: shop.orders.tags has type jsonb, which is not numeric', 'Set value_column'],
  ['a value that is a time span', { ...histogram, value_column: 'span' }, 'error', 'NAME counts nothing: shop.orders.span has type interval, which is not numeric', 'Use value instead of value_column'],
  ['a value with a currency', { ...histogram, value_column: 'cost' }, 'error', 'NAME counts nothing: shop.orders.cost has type money', 'Set value_column'],
  ['a column that is not a time', { ...counter, time_column: 'country' }, 'error', 'NAME counts nothing: shop.orders.country has type text, which is not a time', 'Set time_column'],
  ['a key that may not be unique', { ...counter, key: ['country'] }, 'warning', 'NAME counts with limits: country is not covered by a unique index', 'Set key: [id]'],
  ['a text as the value', { ...histogram, value_column: 'note' }, 'warning', 'NAME counts with limits: shop.orders.note has type text', 'Set value_column'],
  ['a sum over a text', { ...sum, value_column: 'note' }, 'error', 'NAME counts nothing: shop.orders.note has type text, which is not numeric', 'Set value_column to a column of numbers'],
  ['a sum over a text, as an expression', { ...sum, value: 'note' }, 'error', 'NAME counts nothing: shop.orders.note has type text, which is not numeric', 'Set value to a column of numbers'],
  ['a text value that is not a number', { ...histogram, value_column: 'note' }, 'warning', 'NAME drops 1 values that are not numbers', 'Use a numeric column'],
  ['a day as the time', { ...counter, time_column: 'day' }, 'warning', 'NAME counts with limits: shop.orders.day has type date', 'Set time_column'],
  ['a partitioned table whose rows may count again', { ...counter, table: 'shop.parts', append_only: true }, 'warning', 'NAME counts with limits: shop.parts is partitioned', 'Remove append_only'],
  ['an append-only table whose rows are updated', { ...counter, table: 'shop.changed', append_only: true }, 'warning', 'NAME counts with limits: rows of shop.changed are updated (2 so far): each update counts again', 'Remove append_only'],
  ['a key that changes when a row moves', { ...counter, table: 'shop.monthly' }, 'warning', 'NAME counts with limits: at in the key decides the partition of shop.monthly: a row that moves to another partition counts again', 'Set key: [id] if that identifies a row'],
  ['a key that identifies rows only within a partition', { ...counter, table: 'shop.monthly', key: ['id'] }, 'warning', 'NAME counts with limits: rows of shop.monthly have the same id: rows with the same key count once', 'Set key to columns'],
  ['a key that does not cover the tables that inherit', { ...counter, table: 'shop.parent', key: ['id'] }, 'warning', 'NAME counts with limits: other tables inherit from shop.parent', 'Set key: [tableoid, id]'],
  ['a condition that depends on the time', { ...counter, where: 'created_at < now()' }, 'error', 'NAME counts nothing: where uses now, which is not immutable', 'Use a condition over columns of the row'],
  ['a condition that a row can leave', { ...counter, table: 'shop.changed', where: 'state = 1' }, 'warning', 'NAME counts with limits: rows are updated, and one that satisfies state = 1 for less than a poll does not count', 'Use a column that stays'],
  ['a label that changes', { ...counter, table: 'shop.changed', labels: ['state'] }, 'warning', 'NAME counts with limits: rows of shop.changed are updated, and each counts under the state of the moment when it is counted', 'Use a gauge'],
  ['a condition that reads another table', { ...counter, where: 'id in (select id from shop.parts)' }, 'error', 'NAME counts nothing: where reads other rows, in a subquery', 'Use a condition over columns of the row'],
  ['a large table without a time', { ...counter, table: 'shop.large' }, 'warning', 'NAME reads about 5000000 rows, all of shop.large, at each poll', 'Set time_column'],
  ['a table with more keys than are remembered', { ...counter, table: 'shop.huge', time_column: 'created_at' }, 'error', 'NAME counts nothing: it would remember about 50000000 keys, and max_keys is 20000000', 'Raise max_keys'],
  ['a large table without an index on its time', { ...counter, table: 'shop.large', time_column: 'created_at' }, 'warning', 'no index on shop.large (created_at): NAME reads all', 'create index concurrently on shop.large (created_at);'],
  ['a condition over a missing column', { ...counter, where: 'paid_at is not null' }, 'error', 'NAME counts nothing: where has a mistake at character 1: column "paid_at" does not exist', 'Correct where: paid_at is not null'],
  ['a condition that does not parse', { ...counter, where: 'amount >' }, 'error', 'NAME counts nothing: where has a mistake at its end: syntax error', 'Correct where: amount >'],
  ['a condition with a mistake in its middle', { ...counter, where: 'amount > 1 annd id > 2' }, 'error', 'NAME counts nothing: where has a mistake at character 12: syntax error at or near "annd"', 'Correct where: amount > 1 annd'],
  ['a condition that compares two types', { ...counter, where: 'id > 1 and note = 1' }, 'error', 'NAME counts nothing: where has a mistake at character 17: operator does not exist: text = integer', 'Correct where'],
  ['SQL that does not parse', { ...gauge, sql: 'select count(* as n' }, 'error', 'NAME returns no points: sql has a mistake at character 16: syntax error at or near "as"', 'psql, as role'],
  ['SQL with a mistake in a later line', { ...gauge, sql: 'select count(*) as n\nfrom shop.orders -- all\nwhere amont > 1;\n' }, 'error', 'NAME returns no points: sql has a mistake at line 3, character 7: column "amont" does not exist', 'Correct the name of the column'],
  ['SQL that ends too early', { ...gauge, sql: 'select count(*) as n from shop.orders where' }, 'error', 'NAME returns no points: sql has a mistake at its end: syntax error', 'psql, as role'],
  ['SQL that reads a missing table', { ...gauge, sql: 'select n from nowhere' }, 'error', 'NAME returns no points: sql has a mistake at character 15: relation "nowhere"', 'prefix it with the schema'],
  ['SQL that asks for what it may not read', { ...gauge, sql: 'select count(*) as n from shop.secret' }, 'error', 'NAME returns no points: the role may not read this', 'grant select'],
  ['SQL that takes too long', { ...gauge, sql: 'select pg_sleep(5)::text as n' }, 'error', 'NAME returns no points: the query ran longer than its timeout', 'raise timeout of NAME in queries'],
  ['SQL that is near to its timeout', { ...gauge, timeout: '600ms', sql: 'select 1 as n from pg_sleep(0.4)' }, 'warning', 'its timeout is 600 ms', 'raise timeout of NAME in queries'],
  ['an answer without the columns of a gauge', { ...gauge, labels: ['state'], sql: 'select 1 as m, 2 as o' }, 'error', 'NAME returns no points: the answer has no column n, state', 'use another column: m, o'],
  ['rows with the same labels', { ...gauge, sql: 'select country, 1 as n from shop.orders' }, 'warning', 'NAME drops 1 series: several rows have the same labels', 'that distinguish them: country'],
  ['values that are not numbers', { ...gauge, sql: 'select note as n from shop.orders where id = 2' }, 'warning', 'NAME drops 1 values that are not numbers', 'cast it'],
  ['more label values than there is room for', { ...gauge, sql: 'select token, 1 as n from shop.orders', labels: ['token'], max_label_values: 1 }, 'warning', 'NAME publishes 1 rows as other: token has too many or too long values', 'max_label_values'],
  ['the same of rows that are counted', { ...counter, labels: ['token'], max_label_values: 1 }, 'warning', 'NAME publishes 1 rows as other: token has too many or too long values', 'max_label_values'],
] as const; // prettier-ignore

function nameOf(place: number): string {
  return `query_${place}_`;
}

describe('siphon doctor on your own queries of db_poller', () => {
  const seemLarge = `update pg_class set reltuples = 5e6 where oid = 'shop.large'::regclass`;
  let database: TestPostgres;
  beforeAll(async () => {
    database = await startTestPostgres();
    await database.sql(`
      create schema shop;
      create table shop.orders (id bigint primary key, token text not null unique, country text, amount numeric, note text,
        tags jsonb, cost money, created_at timestamptz, local_at timestamp, day date, span interval);
      insert into shop.orders values (1, 'a', 'FR', 5, '5', '{}', 5, now(), now(), now(), '1 h'), (2, 'b', 'FR', 7, 'x', '{}', 5, now(), now(), now(), '1 h');
      create table shop.unkeyed (country text, token text not null unique);
      create table shop.bare (country text);
      create view shop.view as select * from shop.orders;
      create materialized view shop.stored as select * from shop.orders;
      create foreign data wrapper nothing; create server nowhere foreign data wrapper nothing;
      create table shop.parts (id bigint primary key, country text) partition by range (id);
      create table shop.monthly (id bigint, at date, primary key (id, at)) partition by range (at);
      create table shop.monthly_1 partition of shop.monthly for values from ('2026-01-01') to ('2026-02-01');
      create table shop.monthly_2 partition of shop.monthly for values from ('2026-02-01') to ('2026-03-01');
      insert into shop.monthly values (1, '2026-01-01'), (1, '2026-02-01');
      create table shop.parent (id bigint primary key); create table shop.child () inherits (shop.parent); insert into shop.child values (1);
      create table shop.changed (id bigint primary key, state int); insert into shop.changed values (1), (2);
      update shop.changed set state = 1;
      create table shop.tidy (id bigint generated always as identity, at date, primary key (id, at)) partition by range (at);
      create table shop.tidy_1 partition of shop.tidy for values from ('2026-01-01') to ('2026-02-01');
      insert into shop.tidy (at) values ('2026-01-01'), ('2026-01-02');
      create table shop.mixed (id bigint, country text) partition by range (id);
      create foreign table shop.far partition of shop.mixed for values from (0) to (9) server nowhere;
      create table shop.large (id bigint primary key, created_at timestamptz);
      create table shop.huge (id bigint primary key, created_at timestamptz); create index on shop.huge (created_at);
      update pg_class set reltuples = 5e7 where oid = 'shop.huge'::regclass;
      ${seemLarge};
      grant usage on schema shop to ${database.pollerRole};
      grant select on all tables in schema shop to ${database.pollerRole};
      create table shop.secret (id bigint primary key, country text);
      create schema vault; create table vault.gold (id bigint primary key)`);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const examine = (...queries: unknown[]): Promise<Finding[]> =>
    findingsOf(dbPollerReceiver(builtInPacks), {
      datasource: database.pollerUrl,
      storage: 'file_storage',
      leader_election: { enabled: false },
      timeout: '500ms',
      queries,
    });
  const flaws = async (...queries: unknown[]): Promise<Finding[]> =>
    (await examine(...queries)).filter(({ severity }) => severity !== 'ok' && severity !== 'note');

  it('finds nothing where each has what it needs', async () => {
    const all = await examine(
      { ...histogram, labels: ['country'], time_column: 'created_at' },
      { ...counter, name: 'paid', metric_name: 'paid', where: 'amount > 5', key: ['token'] },
      { ...counter, name: 'tidy', metric_name: 'tidy', table: 'shop.tidy' },
      { ...counter, name: 'children', metric_name: 'children', table: 'shop.parent' },
      { ...gauge, sql: 'select country, count(*) as n from shop.orders group by country;', labels: ['country'] },
    );
    expect(all.filter(({ severity }) => severity !== 'ok')).toEqual([]);
    expect(all.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        'the tables of your 4 counters fit their configuration',
        expect.stringMatching(/^5 queries answer; the slowest/),
      ]),
    );
  });

  const findingsAbout = async (query: Record<string, unknown>): Promise<Finding[]> =>
    (await examine(query)).filter(({ what }) => what.startsWith(String(query['name'])));

  it('does not call a query in order that has no value', async () => {
    const none = { ...gauge, name: 'none', sql: 'select 1 as n where false' };
    expect(await findingsAbout(none)).toMatchObject([{ severity: 'note', what: 'none has no value at the moment: its SQL returns no row' }]); // prettier-ignore
    const nulls = { ...gauge, name: 'nulls', sql: 'select null::int as n' };
    expect(await findingsAbout(nulls)).toMatchObject([
      { severity: 'warning', what: expect.stringContaining('is NULL') },
    ]);
    const empty = { ...counter, name: 'empty', metric_name: 'empty', table: 'shop.large' };
    expect(await findingsAbout(empty)).toContainEqual({ severity: 'note', what: 'empty finds no recent row to count' }); // prettier-ignore
    const tidy = { ...counter, name: 'tidy', metric_name: 'tidy', table: 'shop.tidy' };
    expect((await findingsAbout(tidy)).filter(({ severity }) => severity === 'note')).toEqual([]);
  });

  /** All flaws are examined together, each as a separate query. */
  let found: readonly Finding[];
  beforeAll(async () => {
    found = await examine(...flawed.map(([, query], i) => ({ ...query, name: nameOf(i), metric_name: nameOf(i) })));
  });

  it.each(flawed.map(([flaw, , severity, what, repair], i) => ({ flaw, severity, what, repair, name: nameOf(i) })))(
    'names $flaw, and the repair',
    ({ severity, what, repair, name }) => {
      const stated = (text: string): unknown =>
        expect.stringContaining(text.replaceAll('ROLE', database.pollerRole).replaceAll('NAME', name));
      expect(found.filter((finding) => finding.what.includes(name))).toContainEqual({
        severity,
        what: stated(what),
        repair: stated(repair),
      });
    },
  );

  it('the poller reports the same as doctor, and counts nothing', async () => {
    const refused = { ...counter, table: 'shop.mixed', key: ['id'] };
    const [finding] = await flaws(refused);
    await using poller = await PollerUnderTest.start({ datasource: database.pollerUrl, queries: [refused] });
    const failures = 'errors{query="orders",reason="other"}';
    await waitFor(async () => ((await poller.own(failures)) ?? 0) > 0, { what: 'the refusal' });
    const said = poller.log.find(({ msg }) => msg === 'Query failed');
    const message = finding?.what.replace('orders counts nothing: ', '');
    expect(said?.['err']).toMatchObject({ message, repair: finding?.repair });
    expect(poller.series.size).toBe(0);
  });

  it('the index that it asks for, or a BRIN index on rows in order, satisfies it', async () => {
    const timed = { ...counter, table: 'shop.large', time_column: 'created_at' };
    const [missing] = await flaws(timed);
    await database.sql(missing!.repair!);
    await database.sql(seemLarge);
    expect(await flaws(timed)).toEqual([]);
    await database.sql(`
      drop index shop.large_created_at_idx; create index on shop.large using hash (created_at);
      create index on shop.large (created_at) where id > 5; ${seemLarge}`);
    expect(await flaws(timed)).toMatchObject([{ repair: missing!.repair }]);
    await database.sql(`create index on shop.large using brin (created_at); ${seemLarge}`);
    expect(await flaws(timed)).toEqual([]);
  });

  it('a time without a zone is one where the session has another than UTC', async () => {
    const local = { ...counter, time_column: 'local_at' };
    await database.sql(`alter role ${database.pollerRole} set timezone = 'UTC'`);
    expect(await flaws(local)).toEqual([]);
    await database.sql(`alter role ${database.pollerRole} set timezone = 'Asia/Kolkata'`);
    expect(await flaws(local)).toMatchObject([
      {
        severity: 'warning',
        what: expect.stringContaining('read as UTC, and the time zone of the sessions is Asia/Kolkata'),
      },
    ]);
    await database.sql(`alter role ${database.pollerRole} reset timezone`);
  });

  it('row level security hides the rows of a table, and those of a part of it', async () => {
    await database.sql('alter table shop.orders enable row level security');
    const [hidden, ...rest] = await flaws(counter);
    expect(rest).toEqual([]);
    expect(hidden).toMatchObject({
      severity: 'error',
      what: expect.stringMatching(/^row level security hides all of about 2 rows of shop.orders/),
    });
    await database.sql(hidden!.repair!);
    expect(await flaws(counter)).toEqual([]);
    await database.sql('drop policy siphon_reads on shop.orders; alter table shop.orders disable row level security');
  });

  it.each([
    ['as itself', 'select country, count(*) as n from shop.orders group by country', true],
    ['in a subquery', 'select (select count(*) from shop.orders) as n', true],
    ['next to another', 'select count(*) as n from shop.large left join shop.orders using (id)', true],
    ['through a view that reads as who asks it', 'select count(*) as n from shop.invoked', true],
    ['through a view that reads as its owner', 'select count(*) as n from shop.view', false],
    ['not at all', 'select count(*) as n from shop.large', false],
  ])('row level security hides the rows of a table that free SQL reads: %s', async (_, sql, isHidden) => {
    await database.sql('alter table shop.orders enable row level security');
    const [{ server_version_num: version } = {}] = await database.sql('show server_version_num');
    // Before PostgreSQL 15 each view reads as its owner.
    const option = Number(version) < 150_000 ? '' : 'with (security_invoker)';
    await database.sql(`create view shop.invoked ${option} as select * from shop.orders;
      grant select on shop.invoked to ${database.pollerRole}`);
    const said = (await flaws({ ...gauge, sql })).filter(({ what }) => what.startsWith('row level security'));
    await database.sql('alter table shop.orders disable row level security; drop view shop.invoked');
    if (option === '' && sql.includes('shop.invoked')) return;
    expect(said).toEqual(
      isHidden
        ? [
            {
              severity: 'error',
              what: `row level security hides all of about 2 rows of shop.orders from role ${database.pollerRole}`,
              repair: `create policy siphon_reads on shop.orders for select to ${database.pollerRole} using (true);`,
            },
          ]
        : [],
    );
  });

  it('others hold so many connections of the role that there is no room for a sidecar', async () => {
    const others = [0, 1, 2].map(() => new Client({ connectionString: database.pollerUrl, application_name: 'psql' }));
    await Promise.all(others.map((client) => client.connect()));
    const crowded = await flaws(counter);
    await Promise.all(others.map((client) => client.end()));
    expect(crowded).toEqual([
      {
        severity: 'warning',
        what: `role ${database.pollerRole} may have 4 connections, 3 of them held by others, and the poller uses up to 2`,
        repair: `alter role ${database.pollerRole} connection limit 6;`,
      },
    ]);
    await expect.poll(() => flaws(counter), { timeout: 20_000 }).toEqual([]);
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const orders = { name: 'orders', kind: 'counter', metric_name: 'orders', table: 'shop.orders' };

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres({ schema: false });
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.sql(`
    create schema shop;
    create table shop.orders (id int primary key generated always as identity, country text, tags json, paid boolean not null default true,
                              created_at timestamptz not null default now());
    insert into shop.orders (country, tags) select (array['DE', 'FR', 'IT', null])[1 + n % 4], '{"a": 1}' from generate_series(1, 40) n;
    insert into shop.orders (country, paid) values ('ES', false)`);
});
afterEach(() => database.sql('drop schema shop cascade'));

it('starts at 0 for the labels of existing rows, so that the first row is an increase', async () => {
  const unlabelled = { ...orders, name: 'all', metric_name: 'all' };
  const paid = { ...orders, labels: ['country', 'paid'], where: 'paid', time_column: 'created_at' };
  const tags = { ...orders, name: 'tags', metric_name: 'tags', labels: ['tags'], append_only: true };
  await using poller = await PollerUnderTest.start({ datasource: database.url, queries: [unlabelled, paid, tags] });
  await begun(poller, ['all', 'orders', 'tags']);
  const countries = ['DE', 'FR', 'IT', 'unknown'];
  expect(Object.fromEntries(poller.series)).toEqual({
    'all{}': 0,
    ...Object.fromEntries(countries.map((country) => [`orders{country=${country},paid=true}`, 0])),
    'tags{tags={"a": 1}}': 0,
    'tags{tags=unknown}': 0,
  });
  await database.sql(`insert into shop.orders (country) values ('DE'), ('DE'), (null)`);
  await shows(poller, 'orders{country=DE,paid=true}', 2);
  await shows(poller, 'orders{country=unknown,paid=true}', 1);
  await shows(poller, 'orders{country=FR,paid=true}', 0);
  await shows(poller, 'all{}', 3);
});

it('shows a label that appears later at 0 for an interval, so that its first row is an increase', async () => {
  const amounts = { ...orders, kind: 'histogram', labels: ['country'], value: '0.1', buckets: [1] };
  await using poller = await PollerUnderTest.start(
    { datasource: database.url, queries: [amounts], collection_interval: '300ms' },
    { consume: async () => await Promise.resolve(void seen.push(poller.series.get('orders_count{country=NL}'))) },
  );
  const seen: (number | undefined)[] = [];
  await begun(poller, ['orders']);
  await database.sql(`insert into shop.orders (country) select 'NL' from generate_series(1, 3)`);
  await shows(poller, 'orders_count{country=NL}', 3);
  expect(seen.find((count) => count !== undefined)).toBe(0);
  expect(poller.series.get('orders_sum{country=NL}')).toBe(0.3);
});

it('keeps half of the budget of a label for values that appear later', async () => {
  await database.sql(`insert into shop.orders (country) values ('IT'), ('FR'), ('FR')`);
  const few = { ...orders, labels: ['country'], max_label_values: 4 };
  await using poller = await PollerUnderTest.start({ datasource: database.url, queries: [few] });
  await begun(poller, ['orders']);
  expect([...poller.series.keys()].toSorted()).toEqual(['orders{country=FR}', 'orders{country=IT}', 'orders{country=unknown}']); // prettier-ignore
  await database.sql(`insert into shop.orders (country) values ('NL')`);
  await shows(poller, 'orders{country=NL}', 1);
});

it('counts without these series if they cannot be read in time', async () => {
  await database.sql(`
    create function shop.is_slow(country text) returns boolean language plpgsql immutable as $$ begin
      perform pg_sleep(0.02);
      return true;
    end $$`);
  const slow = { ...orders, labels: ['country'], where: 'shop.is_slow(country)', timeout: '400ms' };
  await using poller = await PollerUnderTest.start({ datasource: database.url, queries: [slow] });
  await begun(poller, ['orders']);
  expect([...poller.series.keys()]).toEqual([]);
  await database.sql(`insert into shop.orders (country) values ('DE')`);
  await shows(poller, 'orders{country=DE}', 1);
});

it('reports whether the database has what a query of the user needs', async () => {
  const lacking = { ...orders, labels: ['contry'] };
  const nowhere = { ...orders, name: 'nowhere', metric_name: 'nowhere', table: 'shop.nowhere' };
  const stock = { name: 'stock', kind: 'gauge', metric_name: 'stock', sql: 'select amount from shop.orders', value_column: 'amount' }; // prettier-ignore
  const all = { ...orders, name: 'all', metric_name: 'all' };
  await using poller = await PollerUnderTest.start({
    datasource: database.url,
    queries: [lacking, nowhere, stock, all],
  });
  for (const query of ['orders', 'nowhere', 'stock']) await isEnabled(poller, query, 0);
  await isEnabled(poller, 'all', 1);
  await database.sql('alter table shop.orders add contry text, add amount int');
  for (const query of ['orders', 'stock']) await isEnabled(poller, query, 1);
  await database.sql('alter table shop.orders drop contry');
  await isEnabled(poller, 'orders', 0);
  expect(await poller.own('query_enabled{query="all"}')).toBe(1);
});

async function begun(poller: PollerUnderTest, queries: readonly string[]): Promise<void> {
  for (const query of queries)
    await waitFor(async () => (await poller.own(`query_duration_seconds_count{query="${query}"}`)) !== undefined, {
      what: `the baseline of ${query}`,
    });
}

async function shows(poller: PollerUnderTest, series: string, value: number): Promise<void> {
  await waitFor(() => poller.series.get(series) === value, { what: `${series} at ${value}` });
}

async function isEnabled(poller: PollerUnderTest, query: string, value: number): Promise<void> {
  await waitFor(async () => (await poller.own(`query_enabled{query="${query}"}`)) === value, {
    what: `${query} at ${value}`,
  });
}

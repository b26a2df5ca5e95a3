import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const orders = { kind: 'counter', table: 'shop.orders' };
const queries = [
  { ...orders, name: 'orders', metric_name: 'orders', once: true },
  { ...orders, name: 'paid', metric_name: 'orders.paid', labels: ['country'], where: 'paid_at is not null' },
  {
    ...orders,
    name: 'amounts',
    kind: 'histogram',
    metric_name: 'amount',
    where: 'paid_at is not null',
    value_column: 'amount',
    buckets: [10, 100],
    time_column: 'created_at',
  },
  { name: 'queue', kind: 'gauge', metric_name: 'queue', sql: 'select country, count(*) as n from shop.orders group by country', value_column: 'n', labels: ['country'] }, // prettier-ignore
  { ...orders, name: 'nowhere', metric_name: 'nowhere', table: 'shop.nowhere' },
  { ...orders, name: 'odd', metric_name: 'odd', labels: ['tags'] },
];

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres();
  await database.sql(`
    create schema shop;
    create table shop.orders (shop int, number int, country text, amount numeric, tags jsonb, paid_at timestamptz,
                              created_at timestamptz not null default now(), primary key (shop, number));
    insert into shop.orders (shop, number, country, amount) values (1, 1, 'FR', 5)`);
});
afterAll(() => database[Symbol.asyncDispose]());

it('counts the rows of a user\u2019s table as exactly as its own, by a key of two columns', async () => {
  await using poller = await PollerUnderTest.start({
    datasource: database.url,
    queries,
  });
  await waitFor(() => poller.series.get('orders{}') === 0, { what: 'the counter at 0' });
  for (const name of ['paid', 'amounts', 'odd'])
    await waitFor(async () => (await poller.own(`last_success_timestamp_seconds{query="${name}"}`)) !== undefined, {
      what: `the baseline of ${name}`,
    });
  await database.sql(`insert into shop.orders (shop, number, country, amount, tags)
    select 2, n, case when n <= 3 then 'DE' end, n * 20, '{"a": 1}' from generate_series(1, 5) n`);
  await database.sql('update shop.orders set paid_at = now()');
  await database.sql('update shop.orders set amount = amount + 1');
  const shown = (key: string, value: number) =>
    waitFor(() => poller.series.get(key) === value, { what: `${key} to be ${value}` });
  await shown('orders{}', 5);
  await shown('orders.paid{country=FR}', 1);
  await shown('orders.paid{country=DE}', 3);
  await shown('orders.paid{country=unknown}', 2);
  await shown('amount_count{}', 6);
  await shown('queue{country=DE}', 3);
  await waitFor(() => [...poller.series.keys()].some((key) => key.startsWith('odd{tags={"a":1}')), {
    what: 'a label of another type, as text',
  });
  expect(await poller.own('errors{query="nowhere",reason="missing_table"}')).toBeGreaterThan(0);
  expect(await poller.own('errors{query="orders",reason="other"}')).toBeUndefined();
});

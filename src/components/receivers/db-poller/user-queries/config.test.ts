import * as v from 'valibot';
import { expect, it } from 'vitest';
import { packs as builtInPacks } from '../../../../packs/index.ts';
import { dbPollerConfig } from '../config.ts';

const configSchema = dbPollerConfig(builtInPacks);
const base = { datasource: 'postgresql://db/shop' };
const counter = { name: 'orders', kind: 'counter', metric_name: 'orders', table: 'shop.orders' };
const histogram = { ...counter, kind: 'histogram', value_column: 'amount', buckets: [1, 2] };
const gauge = { name: 'queue', kind: 'gauge', metric_name: 'queue', sql: 'select 1 as n', value_column: 'n' };

const sum = { ...counter, kind: 'sum', value_column: 'amount' };
const lookup = { table: 'shop.countries', column: 'Name' };

it('takes a counter, a sum, a histogram and a gauge, with labels and values of all forms', async () => {
  const labels = [
    'Any "name"; at all',
    { name: 'a', column: 'b c' },
    { name: 'd', value: 'x' },
    { name: 'e', column: 'f', lookup },
  ];
  const queries = [
    { ...counter, labels },
    { ...histogram, name: 'amounts', metric_name: 'amounts' },
    { ...sum, name: 'sums', metric_name: 'sums', value_column: undefined, value: 'a / 100' },
    gauge,
    { ...gauge, name: 'open', metric_name: 'open', sql: undefined, table: 'shop.open', labels },
  ]; // prettier-ignore
  expect((await v.safeParseAsync(configSchema, { ...base, queries })).issues).toBeUndefined();
});

it.each([
  ['an unknown kind', { ...counter, kind: 'summary' }, 'queries.0.kind', /counter, sum, histogram or gauge$/],
  ['a misspelt kind', { ...counter, kind: 'countr' }, 'queries.0.kind', /gauge \(did you mean counter\?\)$/],
  ['a missing kind', { ...gauge, kind: undefined }, 'queries.0.kind', /counter, sum, histogram or gauge$/],
  ['an unknown key', { ...counter, tabel: 'x' }, 'queries.0.tabel', /./],
  ['a metric of a pack', { ...counter, metric_name: 'prices.recorded' }, 'queries.0.metric_name', /siphon/],
  [
    'one by its Prometheus name',
    { ...counter, metric_name: 'prices_recorded_total' },
    'queries.0.metric_name',
    /siphon/,
  ],
  ['a name of the poller itself', { ...counter, name: 'horizon' }, 'queries.0.name', /siphon/],
  ['a histogram without buckets', { ...histogram, buckets: undefined }, 'queries.0.buckets', /./],
  ['buckets that go down', { ...histogram, buckets: [2, 1] }, 'queries.0.buckets', /ascending/],
  ['an invalid column', { ...counter, labels: ['x'.repeat(64)] }, 'queries.0.labels.0', /name of a column/],
  ['an empty column', { ...sum, value_column: '' }, 'queries.0.value_column', /name of a column/],
  ['a label without a source', { ...counter, labels: [{ name: 'a' }] }, 'queries.0.labels.0', /column, or value/],
  [
    'a label with two sources',
    { ...counter, labels: [{ name: 'a', column: 'b', value: 'c' }] },
    'queries.0.labels.0',
    /column, or value/,
  ],
  [
    'a lookup of a constant',
    { ...counter, labels: [{ name: 'a', value: 'c', lookup }] },
    'queries.0.labels.0',
    /lookup needs column/,
  ],
  [
    'a label with an odd name',
    { ...counter, labels: [{ name: 'a b', column: 'b' }] },
    'queries.0.labels.0.name',
    /name of a label/,
  ],
  [
    'two labels of one name',
    { ...counter, labels: ['a b', { name: 'a_b', column: 'c' }] },
    'queries.0.labels.1',
    /same label as a b/,
  ],
  [
    'a sum without a value',
    { ...sum, value_column: undefined },
    'queries.0.value_column',
    /set value_column, or value/,
  ],
  ['a sum with two values', { ...sum, value: 'a' }, 'queries.0.value_column', /not both/],
  [
    'an expression that is SQL',
    { ...sum, value_column: undefined, value: '(select 1)' },
    'queries.0.value',
    /parenthesis/,
  ],
  ['a gauge without a source', { ...gauge, sql: undefined }, 'queries.0.sql', /set sql, or table/],
  ['a gauge with two sources', { ...gauge, table: 'shop.open' }, 'queries.0.sql', /not both/],
  [
    'an expression over SQL',
    { ...gauge, value_column: undefined, value: 'n / 2' },
    'queries.0.value',
    /compute it in sql/,
  ],
  [
    'a lookup from SQL',
    { ...gauge, labels: [{ name: 'a', column: 'b', lookup }] },
    'queries.0.labels',
    /join it in sql/,
  ],
  ['a table without a schema', { ...counter, table: 'orders' }, 'queries.0.table', /schema.table/],
] as const)('refuses %s, with its place', async (_, query, path, message) => {
  const { issues } = await v.safeParseAsync(configSchema, { ...base, queries: [query] });
  expect(issues?.map((issue) => [v.getDotPath(issue), issue.message])).toContainEqual([
    path,
    expect.stringMatching(message),
  ]);
});

it('reports every mistake of a query, also next to an unknown kind and in queries with other mistakes', async () => {
  const { issues } = await v.safeParseAsync(configSchema, {
    ...base,
    queries: [
      { ...counter, kind: 'histogramm', table: 'orders', name: 'Orders', buckets: [2, 1] },
      { ...counter, table: 'orders', metric_name: 'prices.recorded' },
      { ...gauge, name: 'orders', append_only: 'maybe', value_column: undefined },
      { name: 'x', metric_name: 'x', sql: 'select 1', labels: [''] },
    ],
  });
  expect(issues?.map((issue) => v.getDotPath(issue)).toSorted()).toEqual([
    'queries.0.buckets',
    'queries.0.kind',
    'queries.0.name',
    'queries.0.table',
    'queries.1.metric_name',
    'queries.1.table',
    'queries.2.append_only',
    'queries.2.name',
    'queries.2.value_column',
    'queries.3.kind',
    'queries.3.labels.0',
  ]);
});

it('refuses two queries of one name, or of one metric', async () => {
  const { issues } = await v.safeParseAsync(configSchema, {
    ...base,
    queries: [counter, { ...gauge, name: 'orders', metric_name: 'orders_total' }],
  });
  expect(issues?.map((issue) => [v.getDotPath(issue), issue.message])).toEqual([
    ['queries.1.name', 'is already the name of another query'],
    ['queries.1.metric_name', 'has the same Prometheus name as orders of the query orders'],
  ]);
});

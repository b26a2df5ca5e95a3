import * as v from 'valibot';
import { expect, it } from 'vitest';
import { packs as builtInPacks } from '../../../../packs/index.ts';
import { dbPollerConfig } from '../config.ts';

const configSchema = dbPollerConfig(builtInPacks);
const base = { datasource: 'postgresql://db/shop' };
const counter = { name: 'orders', kind: 'counter', metric_name: 'orders', table: 'shop.orders' };
const histogram = { ...counter, kind: 'histogram', value_column: 'amount', buckets: [1, 2] };
const gauge = { name: 'queue', kind: 'gauge', metric_name: 'queue', sql: 'select 1 as n', value_column: 'n' };

it('takes a counter, a histogram and a gauge', async () => {
  const queries = [counter, { ...histogram, name: 'amounts', metric_name: 'amounts' }, gauge];
  expect((await v.safeParseAsync(configSchema, { ...base, queries })).issues).toBeUndefined();
});

it.each([
  ['an unknown kind', { ...counter, kind: 'summary' }, 'queries.0.kind', /counter, histogram or gauge/],
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
  ['an invalid column', { ...counter, labels: ['a; drop table x'] }, 'queries.0.labels.0', /name of a column/],
  ['a table without a schema', { ...counter, table: 'orders' }, 'queries.0.table', /schema.table/],
] as const)('refuses %s, with its place', async (_, query, path, message) => {
  const { issues } = await v.safeParseAsync(configSchema, { ...base, queries: [query] });
  expect(issues?.map((issue) => [v.getDotPath(issue), issue.message])).toContainEqual([
    path,
    expect.stringMatching(message),
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

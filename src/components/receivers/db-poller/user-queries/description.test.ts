import * as v from 'valibot';
import { expect, it } from 'vitest';
import { packs as builtInPacks } from '../../../../packs/index.ts';
import { dbPollerConfig } from '../config.ts';
import { descriptionOf } from './description.ts';

const rows = { name: 'paid', metric_name: 'paid', table: 'shop.orders', where: `customer = 'Ada'` };
const values = { ...rows, value_column: 'amount' };

it.each([
  ['a counter', { ...rows, kind: 'counter' }, 'Rows of shop.orders that the query paid counts'],
  ['a sum', { ...values, kind: 'sum' }, 'Sum of the values that the query paid reads from shop.orders'],
  ['a histogram', { ...values, kind: 'histogram', buckets: [1] }, 'Values that the query paid reads from shop.orders'],
  ['a gauge of SQL', { name: 'n', metric_name: 'n', kind: 'gauge', sql: 'select 1 as n', value_column: 'n' }, 'Values that the query n reads'],
  ['a description', { ...rows, kind: 'counter', description: 'Paid orders' }, 'Paid orders'],
])('describes %s', async (_, query, description) => {
  const config = { datasource: 'postgresql://db/shop', queries: [query] };
  const { queries } = await v.parseAsync(dbPollerConfig(builtInPacks), config);
  expect(descriptionOf(queries[0]!)).toBe(description);
}); // prettier-ignore

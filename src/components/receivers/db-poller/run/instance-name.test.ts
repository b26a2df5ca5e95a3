import { expect, it } from 'vitest';
import { instanceName } from './instance-name.ts';

it.each([
  ['db_poller', 'db:5432/shop', 'db:5432/shop'],
  ['db_poller/orders', 'db:5432/shop', 'db:5432/shop (orders)'],
  ['db_poller/orders/eu', 'db:5432/shop', 'db:5432/shop (orders/eu)'],
  ['db_poller/orders', undefined, 'db_poller/orders'],
])('names the series of %s on %s', (id, database, name) => {
  expect(instanceName(id, database)).toBe(name);
});

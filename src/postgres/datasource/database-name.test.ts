import { expect, it } from 'vitest';
import { Secret } from '../../engine/schema/secret.ts';
import { databaseName } from './database-name.ts';

it.each([
  ['postgres://u:p%40w@db/shop', 'db:5432/shop'],
  ['postgresql://u:p@db:5433/my%20shop?sslmode=require', 'db:5433/my shop'],
  ['postgresql://u:p@one,two:5433/shop', 'one:5432,two:5433/shop'],
  ['postgresql://u:p@/shop?host=/run/postgresql', '/run/postgresql:5432/shop'],
  ["host=db user='a b' password='secret' dbname=shop", 'db:5432/shop'],
  ['postgresql://user:p@db', 'db:5432'],
])('names the database of %s without credentials', async (datasource, name) => {
  expect(await databaseName(new Secret(datasource), {})).toBe(name);
});

it('takes what the datasource omits from the environment', async () => {
  const environment = { PGHOST: 'elsewhere', PGPORT: '6432', PGDATABASE: 'stock' };
  expect(await databaseName(new Secret('user=u password=p'), environment)).toBe('elsewhere:6432/stock');
  expect(await databaseName(new Secret('user=u'), { PGSERVICE: 'missing' })).toBeUndefined();
  expect(await databaseName(new Secret('no datasource'), {})).toBeUndefined();
});

import { expect, it } from 'vitest';
import { pgPoolName } from './pg-pool-name.ts';

it.each([
  ['postgres://me:secret@db.example:6432/shop', 'db.example:6432/shop'],
  ['postgresql://me:s%40cret@db.example/shop?sslmode=require&application_name=secret', 'db.example:5432/shop'],
  ['postgres://me:secret@[::1]:6432/shop', '[::1]:6432/shop'],
  ['postgres://me:secret@/shop?host=/var/run/postgresql', '/var/run/postgresql:5432/shop'],
  ['postgres://me:secret@%2Fvar%2Frun%2Fpostgresql/shop', '/var/run/postgresql:5432/shop'],
  ['postgres://me:secret@db.example', 'db.example:5432/me'],
  ['/var/run/postgresql shop', '/var/run/postgresql:5432/shop'],
  ['socket:/var/run/postgresql?db=shop', '/var/run/postgresql:5432/shop'],
  ['postgres://me:sec#ret@db.example/shop', 'unknown'],
])('names the pool of %s without its password', (connectionString, name) => {
  expect(pgPoolName({ connectionString }, {})).toBe(name);
});

it('chooses options before variables before the defaults of pg', () => {
  const environment = { PGHOST: 'from-variable', PGDATABASE: 'also', USER: 'me' };
  expect(pgPoolName({ host: 'given', port: 1 }, environment)).toBe('given:1/also');
  expect(pgPoolName({}, environment)).toBe('from-variable:5432/also');
  expect(pgPoolName({}, { USER: 'me' })).toBe('localhost:5432/me');
});

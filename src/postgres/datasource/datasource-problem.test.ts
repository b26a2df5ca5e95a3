import { expect, it } from 'vitest';
import { datasourceProblem } from './datasource-problem.ts';

it.each([
  'postgresql://siphon@127.0.0.1/shop',
  'postgres://u:p%40w%23x@db:5433/shop?sslmode=no-verify',
  'postgres://u:p@w@db/shop',
  'postgresql:///shop?host=/run/postgresql',
  'postgresql://u:p@one:5432,two:5433/shop?target_session_attrs=primary',
  'postgresql://u:p@[::1]:5432,two/shop',
  'postgres://u:p@db.example:25060/defaultdb?sslmode=require&pgbouncer=true',
  'host=one,two port=5432 user=u password=secret dbname=shop target_session_attrs=read-write',
  String.raw`host=db password='it\'s # a / secret' dbname='my shop'`,
  'service=shop',
])('accepts %s', (text) => {
  expect(datasourceProblem(text)).toBeUndefined();
});

it.each([
  'host=db user=u pass=secret',
  'host=db password=secret word=secret',
  'host=db password=secret secret',
  'host=one,two,three port=1,2 password=secret',
  'postgres://u:secret@one:1,two:99999/shop',
  'postgres://u:secret@one:1,two:x/shop',
  'host=db password=secret target_session_attrs=foo',
  'host=db password=secret sslmode=foo',
  'mysql://u:secret@db/shop',
  'postgres://u:secret#x@db/shop',
  'postgres://u:p@secret#x@db/shop',
  'postgres://u:12/secret@db/shop',
  'postgres://12?secret@db/shop',
  'postgresql://db/shop?user=u&password=secret@w',
  'postgres://u:secret%w@db/shop',
  'postgres://u:secret@db/shop?sslmode=foo',
])('refuses %s, without a part of it', (text) => {
  const problem = datasourceProblem(text);
  expect(problem).toMatch(/must be a URL, postgresql:|^has /);
  expect(problem).not.toMatch(/secret|foo/);
});

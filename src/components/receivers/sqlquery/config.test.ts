import * as v from 'valibot';
import { expect, it } from 'vitest';
import { connectionOf, sqlqueryConfig } from './config.ts';

const metrics = [{ metric_name: 'm', value_column: 'v' }];
const queries = [{ sql: 'select 1 as v', metrics }];
const datasource = 'postgresql://user:pass@db:5433/shop';
const fields = { host: 'db', port: 5433, database: 'shop', username: 'user', password: 'p@ss w/rd' };

function problems(keys: Record<string, unknown>): (string | null)[] {
  const { issues = [] } = v.safeParse(sqlqueryConfig, { driver: 'postgres', queries, ...keys });
  return issues.map((issue) => v.getDotPath(issue));
}

function connection(keys: Record<string, unknown>): string | undefined {
  return connectionOf(v.parse(sqlqueryConfig, { driver: 'postgres', queries, ...keys }))?.url;
}

it('takes the spelling with a datasource and the one with fields, and no mixture', () => {
  expect(problems({ datasource })).toEqual([]);
  expect(problems(fields)).toEqual([]);
  expect(problems({ datasource, ...fields })).toEqual(['host', 'port', 'database', 'username', 'password']);
  expect(problems({ datasource, additional_params: { sslmode: 'disable' } })).toEqual(['additional_params']);
  expect(problems({ datasource, host: '', password: '', additional_params: {} })).toEqual([]);
  expect(problems({})).toEqual(['host', 'port', 'database']);
  expect(problems({ host: 'db' })).toEqual(['port', 'database']);
  expect(problems({ datasource: '' })).toEqual(['datasource']);
});

it.each(['mysql', 'oracle', 'sqlserver', 'Postgres', ''])('refuses the driver %j', (driver) => {
  expect(problems({ datasource, driver })).toContain('driver');
});

it.each([
  [{ queries: [] }, 'queries'],
  [{ queries: [{ sql: ' ', metrics }] }, 'queries.0.sql'],
  [{ queries: [{ sql: 'select 1' }] }, 'queries.0'],
  [{ queries: [{ sql: 'select 1', metrics: [{ metric_name: 'm' }] }] }, 'queries.0.metrics.0.value_column'],
  [
    { queries: [{ sql: 'select 1', metrics: [{ ...metrics[0], aggregation: 'delta' }] }] },
    'queries.0.metrics.0.aggregation',
  ],
  [
    { queries: [{ sql: 'select 1', metrics: [{ ...metrics[0], value_type: 'string' }] }] },
    'queries.0.metrics.0.value_type',
  ],
  [{ queries: [{ sql: 'select 1', metrics, tracking_column: 'id' }] }, 'queries.0.tracking_column'],
  [{ queries: [{ sql: 'select 1', logs: [{}] }] }, 'queries.0.logs.0.body_column'],
  [{ queries: [{ sql: 'select 1', logs: [{ body_column: 'b' }], tracking_start_value: '1' }] }, 'queries.0.tracking_start_value'], // prettier-ignore
  [{ queries: [{ name: 'a', sql: 'select 1', metrics }, { name: 'a', sql: 'select 2', metrics }] }, 'queries'], // prettier-ignore
  [{ datasource: 'no datasource' }, 'datasource'],
  [{ datasource: 'mysql://db/shop' }, 'datasource'],
  [{ storage: 5 }, 'storage'],
])('refuses %j', (keys, at) => {
  expect(problems({ datasource, ...keys })).toContain(at);
});

it.each([
  ['a URL', 'postgresql://user:p%40ss@one:5433,two/shop?target_session_attrs=primary&work_mem=8MB'],
  ['keywords', "host=one,two port=5433,5432 user=user password='p@ss' dbname=shop target_session_attrs=primary work_mem=8MB"],
])('takes several hosts, as %s', (_, text) => {
  expect(problems({ datasource: text })).toEqual([]);
  const url = new URL(connection({ datasource: text })!);
  expect(url.pathname).toBe('/shop');
  expect(Object.fromEntries(url.searchParams)).toEqual({
    host: 'one,two',
    port: '5433,5432',
    user: 'user',
    password: 'p@ss',
    target_session_attrs: 'primary',
    options: '-c work_mem=8MB',
    sslmode: 'require',
    uselibpqcompat: 'true',
  });
}); // prettier-ignore

it('never shows the content of a datasource that it cannot parse', () => {
  const { issues } = v.safeParse(sqlqueryConfig, {
    driver: 'postgres',
    queries,
    datasource: 'password=hunter2 broken',
  });
  expect(JSON.stringify(issues?.map(({ message }) => message))).not.toContain('hunter2');
});

it.each([
  ['a URL', { datasource: `${datasource}?sslmode=disable` }, 'postgresql://user:pass@db:5433/shop?sslmode=disable'],
  ['keywords', { datasource: `host=db port=5433 user=user password='it''s' dbname=shop sslmode=disable`.replace("''", String.raw`\'`) }, `postgresql://user:it's@db:5433/shop?sslmode=disable`], // prettier-ignore
  ['fields', { ...fields, additional_params: { sslmode: 'disable' } }, 'postgresql://user:p%40ss%20w%2Frd@db:5433/shop?sslmode=disable'], // prettier-ignore
  ['an address of version 6', { ...fields, host: '::1', username: '', additional_params: { sslmode: 'disable' } }, 'postgresql://[::1]:5433/shop?sslmode=disable'], // prettier-ignore
  ['nothing about TLS, which is then demanded', { datasource }, `${datasource}?sslmode=require`],
  ['a socket', { datasource: 'host=/run/postgresql dbname=shop' }, 'postgresql://localhost:5432/shop?host=%2Frun%2Fpostgresql&sslmode=disable'], // prettier-ignore
  ['settings of the server', { datasource: `${datasource}?sslmode=disable&search_path=a,%20b&connect_timeout=3` }, String.raw`postgresql://user:pass@db:5433/shop?sslmode=disable&options=-c%20search_path%3Da%2C%5C%20b`], // prettier-ignore
])('connects by %s', (_, keys, expected) => {
  expect(connection(keys)).toBe(`${expected}&uselibpqcompat=true`);
});

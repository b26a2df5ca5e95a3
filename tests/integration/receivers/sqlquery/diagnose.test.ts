import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../../../src/engine/component.ts';
import { sqlqueryConfig } from '../../../../src/components/receivers/sqlquery/config.ts';
import { sqlqueryReceiver } from '../../../../src/components/receivers/sqlquery/factory.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';

const metrics = (value_column: string) => [{ metric_name: 'm', value_column }];

describe('siphon doctor about sqlquery', () => {
  let database: TestPostgres;
  beforeAll(async () => {
    database = await startTestPostgres({ schema: false });
  });
  afterAll(() => database[Symbol.asyncDispose]());

  async function findings(queries: unknown[], datasource = `${database.url}?sslmode=disable`): Promise<Finding[]> {
    const config = v.parse(sqlqueryConfig, { driver: 'postgres', datasource, queries });
    const settings = {
      id: 'sqlquery',
      signals: new Set(['metrics', 'logs'] as const),
      deadline: AbortSignal.timeout(10_000),
      progress: () => undefined,
    };
    const found: Finding[] = [];
    for await (const finding of sqlqueryReceiver.diagnose!(settings, config)) found.push(finding);
    return found;
  }

  it('runs each query as the receiver does, and reports problems and fixes', async () => {
    const found = await findings([
      { name: 'good', sql: 'select 1 as v;', metrics: metrics('v') },
      { name: 'lacking', sql: 'select 1 as v', metrics: metrics('w') },
      { name: 'broken', sql: 'select * from nowhere', metrics: metrics('v') },
      { name: 'wrong', sql: 'select 1 as', metrics: metrics('v') },
      { name: 'late', sql: 'select 1 as v from pg_sleep(9)', timeout: '100ms', metrics: metrics('v') },
      { name: 'slow', sql: 'select 1 as v from pg_sleep(0.5)', timeout: '900ms', metrics: metrics('v') },
      { name: 'many', sql: 'select n as v from generate_series(1, 50001) n', metrics: metrics('v') },
      { name: 'fraction', sql: 'select 1.5 as v union all select 2', metrics: metrics('v') },
      { name: 'words', sql: `select 'a' as v`, metrics: metrics('v') },
      { name: 'moment', sql: 'select 1 as v, now() as t', metrics: [{ metric_name: 'm', value_column: 'v', ts_column: 't' }] },
      { name: 'nothing', sql: 'select null as v', metrics: metrics('v') },
      { name: 'alike', sql: `select 1 as v, 'a' as state union all select 2, 'b'`, metrics: metrics('v') },
      { name: 'tail', sql: 'select 1 as id where 1 > $1::int', tracking_column: 'id', tracking_start_value: '5', logs: [{ body_column: 'id' }] },
      { name: 'bodiless', sql: 'select 1 as id', logs: [{ body_column: 'text' }] },
      { name: 'tracked', sql: 'select 1 as id\nfrom nowhere', tracking_column: 'id', tracking_start_value: '5', logs: [{ body_column: 'id' }] },
    ]); // prettier-ignore
    expect(found).toMatchObject([
      { severity: 'ok', what: expect.stringMatching(/^query good returns rows, in \d+ ms$/) },
      { severity: 'error', what: 'query lacking has no column w', repair: 'Select them, or use existing columns: v' },
      { severity: 'error', what: expect.stringMatching(/^query broken returns no points: .*nowhere/), repair: expect.stringContaining('schema') },
      { severity: 'error', what: expect.stringMatching(/^query wrong returns no points: sql has a mistake at its end: syntax/), repair: expect.stringMatching(/psql, as role \w+$/) },
      { severity: 'error', what: expect.stringMatching(/^query late returns no points: the query ran longer/), repair: expect.stringContaining('timeout') },
      { severity: 'warning', what: expect.stringMatching(/^query slow takes \d+ ms; its timeout is 900 ms/) },
      { severity: 'error', what: 'query many returns no points: more than 50000 rows', repair: expect.stringContaining('Aggregate') },
      { severity: 'warning', what: 'query fraction ignores 1 of its rows: column v is not a 64-bit integer', repair: expect.stringContaining('value_type: double') },
      { severity: 'error', what: 'query words ignores 1 of its rows: column v is not a 64-bit integer' },
      { severity: 'error', what: expect.stringMatching(/^query moment ignores.*column t is not a time/), repair: expect.stringContaining('nanoseconds') },
      { severity: 'warning', what: 'query nothing ignores 1 of its rows: column v is NULL' },
      { severity: 'warning', what: 'query alike loses 1 points to other points with the same attributes', repair: expect.stringMatching(/: state$/) },
      { severity: 'note', what: expect.stringMatching(/^query tail returns no rows at the moment/) },
      { severity: 'error', what: 'query bodiless has no column text' },
      { severity: 'error', what: 'query tracked returns no records: sql has a mistake at line 2, character 6: relation "nowhere" does not exist' },
    ]); // prettier-ignore
  });

  it('reports a role with too few connections for its queries', async () => {
    await database.sql(`create role siphon_narrow login password 'narrow' connection limit 1`);
    const datasource = Object.assign(new URL(database.url), { username: 'siphon_narrow', password: 'narrow' }).href;
    const queries = [1, 2].map((n) => ({ sql: `select ${n} as v`, metrics: metrics('v') }));
    expect(await findings(queries, `${datasource}?sslmode=disable`)).toContainEqual({
      severity: 'warning',
      what: 'role siphon_narrow may have 1 connections, and the receiver uses up to 2',
      repair: 'alter role siphon_narrow connection limit 3;',
    });
    await database.sql('drop role siphon_narrow');
  });

  it('reports once that row level security hides the rows of a table, for metrics and logs', async () => {
    await database.sql(`create role siphon_blind login password 'blind';
      create table tail (id int); insert into tail select generate_series(1, 7); create table seen (id int);
      create policy everyone on seen using (true); grant select on tail, seen to siphon_blind;
      alter table tail enable row level security; alter table seen enable row level security; analyze tail`);
    const datasource = Object.assign(new URL(database.url), { username: 'siphon_blind', password: 'blind' }).href;
    const tracked = { name: 'tail', sql: 'select id from tail where id > $1::int', tracking_column: 'id', tracking_start_value: '0', logs: [{ body_column: 'id' }] }; // prettier-ignore
    const queries = [
      { name: 'count', sql: 'select (select count(*) from tail) + count(*) as v from seen', metrics: metrics('v') },
      tracked,
      { name: 'broken', sql: 'select * from nowhere', metrics: metrics('v') },
    ];
    const found = await findings(queries, `${datasource}?sslmode=disable`);
    expect(found).toMatchObject([
      { severity: 'ok', what: 'row level security lets role siphon_blind see all rows of public.seen' },
      {
        severity: 'error',
        what: 'row level security hides all of about 7 rows of public.tail from role siphon_blind',
        repair: 'create policy siphon_reads on public.tail for select to siphon_blind using (true);',
      },
      { severity: 'ok', what: expect.stringContaining('query count returns rows') },
      { severity: 'note', what: expect.stringContaining('query tail returns no rows') },
      { severity: 'error', what: expect.stringContaining('query broken returns no points') },
    ]);
    await database.sql('drop owned by siphon_blind; drop role siphon_blind');
  });

  it('reports once that the database is unavailable, without the password', async () => {
    const query = { sql: 'select 1 as v', metrics: metrics('v') };
    const found = await findings([query, query], 'postgresql://siphon:hunter2@127.0.0.1:1/nowhere');
    expect(found).toMatchObject([{ severity: 'error', what: expect.stringContaining('cannot reach the database') }]);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });
});

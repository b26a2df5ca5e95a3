/** The groups of `postgres_health` that depend on the version, the extensions, the role or the state of the server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { runSql } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';
import { postgresHealthDatabase } from '../../../../src/packs/postgres-health/database.ts';

const often = Object.fromEntries(
  postgresHealthDatabase.names.gauges.map((name) => [name, { collection_interval: '200ms' }]),
);

function start(datasource: string, settings: Record<string, unknown> = {}): Promise<PollerUnderTest> {
  return PollerUnderTest.start({
    datasource,
    leader_election: { enabled: false },
    packs: { postgres_health: { ...settings, queries: often } },
  });
}

/** The series of a metric that have a value now, by their labels. */
function seriesOf(poller: PollerUnderTest, name: string): Record<string, number> {
  return Object.fromEntries(
    [...poller.series.entries()].flatMap(([key, value]) =>
      key.startsWith(`${name}{`) && value !== undefined ? [[key.slice(name.length), value]] : [],
    ),
  );
}

/** A given server may not have loaded the library. */
const given = process.env['SIPHON_TEST_POSTGRES_URL'] !== undefined;

describe('the groups of postgres_health', () => {
  let database: TestPostgres;
  beforeAll(async () => {
    database = await startTestPostgres({
      schema: false,
      parameters: { shared_preload_libraries: 'pg_stat_statements' },
    });
  });
  afterAll(() => database[Symbol.asyncDispose]());

  it('reports what it lacks once, and no poll fails', async () => {
    // Belongs to no extension, and could say anything.
    await database.sql('create table pg_stat_statements (queryid int, query text)');
    await using poller = await start(database.pollerUrl);
    await waitFor(() => Object.keys(seriesOf(poller, 'database.version')).length === 1, { what: 'the rest' });
    const polled = 'query_duration_seconds_count{query="postgres_health.server"}';
    await waitFor(async () => ((await poller.own(polled)) ?? 0) > 3, { what: 'more polls' });
    const lines = poller.log.filter((line) => JSON.stringify(line).includes('lacks what some queries read'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: 30,
      off: { statements: expect.arrayContaining(['pg_stat_statements.calls']) },
    });
    for (const reason of ['permission', 'missing_table', 'missing_column', 'other'])
      expect(await poller.failures(reason), reason).toBe(0);
    await database.sql('drop table pg_stat_statements');
  });

  it('is not asked again immediately for what it refuses', async () => {
    await database.sql('revoke execute on function pg_postmaster_start_time() from public');
    await using poller = await start(database.pollerUrl);
    const sentence = 'The server does not answer this query: it has no values';
    await waitFor(() => poller.said(sentence) === 1, { what: 'the line' });
    await waitFor(() => Object.keys(seriesOf(poller, 'database.size')).length === 1, { what: 'the rest' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(poller.said(sentence)).toBe(1);
    expect(await poller.failures('permission')).toBe(0);
    await database.sql('grant execute on function pg_postmaster_start_time() to public');
  });

  it('shows the tables that are the largest and those with most dead rows, as many as were asked for', async () => {
    await database.sql(`
      create table large (filler text); create table small (n int); create table churned (n int);
      create table months (n int) partition by range (n);
      create table months_1 partition of months for values from (0) to (1000) partition by range (n);
      create table months_1a partition of months_1 for values from (0) to (1000);
      insert into large select repeat('x', 1000) from generate_series(1, 2000);
      insert into small values (1);
      insert into churned select generate_series(1, 500);
      insert into months select 1 from generate_series(1, 900)`);
    await database.sql('vacuum analyze');
    await database.sql('delete from churned; delete from months');
    await using poller = await start(database.pollerUrl, { top_tables: 1, tables: ['public.small'] });
    const shown = (): string[] => Object.keys(seriesOf(poller, 'database.table.size')).toSorted();
    const expected = ['{table=public.large}', '{table=public.months}', '{table=public.small}'];
    await waitFor(() => String(shown()) === String(expected), { what: 'the tables' });
    expect(seriesOf(poller, 'database.table.changes')).toMatchObject({
      '{operation=insert,table=public.months}': 900,
      '{operation=delete,table=public.months}': 900,
      '{operation=update,table=public.large}': 0,
    });
    await database.sql('select count(*) from large');
    await waitFor(() => Number(seriesOf(poller, 'database.table.rows.scanned')['{table=public.large}']) >= 2000, {
      what: 'the scan',
    });
    expect(seriesOf(poller, 'database.table.scans')['{by=sequence,table=public.large}']).toBeGreaterThan(0);
    await database.sql('drop table large, small, churned, months');
  });

  it('measures the tables that are not locked', async () => {
    await database.sql('create table moved (n int primary key); create table kept (n int primary key)');
    await database.sql('insert into moved values (1); insert into kept values (1)');
    await database.sql('vacuum analyze');
    const { Client } = await import('pg');
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query('begin; lock table moved in access exclusive mode');
    await using poller = await start(database.pollerUrl);
    const shown = (): string[] => Object.keys(seriesOf(poller, 'database.table.size')).toSorted();
    await waitFor(() => String(shown()) === '{table=public.kept}', { what: 'the other table' });
    await client.query('rollback');
    await client.end();
    await waitFor(() => shown().length === 2, { what: 'both' });
    expect(await poller.failures('lock_timeout')).toBe(0);
    await database.sql('drop table moved, kept');
  });

  describe.skipIf(given)('with pg_stat_statements', () => {
    beforeAll(async () => {
      await database.sql('create schema extensions; create extension pg_stat_statements schema extensions');
    });
    it('shows the statements that took most time, without their constants, and counts on after a reset', async () => {
      await database.sql(`create role app password 'hidden'; comment on role app is 'hidden'`);
      for (let i = 0; i < 3; i++) await database.sql(`select pg_sleep(0.1), 'hidden' /* trace hidden */`);
      await using poller = await start(database.url, { statements: 50 });
      const slept = 'select pg_sleep($1), $2';
      await waitFor(() => callsOf(poller, slept) === 3, { what: 'three calls' });
      const seconds = Object.entries(seriesOf(poller, 'database.statement.time')).find(([key]) => key.includes(slept));
      expect(seconds?.[1]).toBeGreaterThanOrEqual(0.3);
      expect(seconds?.[1]).toBeLessThan(3);
      expect(callsOf(poller, 'create role app password ?')).toBe(1);
      expect([...poller.series.keys()].filter((key) => key.includes('hidden'))).toEqual([]);
      await database.sql('select extensions.pg_stat_statements_reset()');
      await database.sql(`select pg_sleep(0), 'again'`);
      await waitFor(() => callsOf(poller, slept) === 1, { what: 'the count since the reset' });
      expect(await poller.failures('other')).toBe(0);
    });

    it('has as many series as were asked for', async () => {
      await using poller = await start(database.url, { statements: 2 });
      await waitFor(() => Object.keys(seriesOf(poller, 'database.statement.calls')).length === 2, { what: 'two' });
      await database.sql('select pg_sleep(0.2) as one_more');
      await waitFor(() => callsOf(poller, 'select pg_sleep($1) as one_more') === 1, { what: 'the slowest' });
      expect(Object.keys(seriesOf(poller, 'database.statement.calls'))).toHaveLength(2);
    });

    it('has no numbers where others’ statements are hidden', async () => {
      await database.sql(`create role siphon_test_blind login password 'secret'`);
      const blind = Object.assign(new URL(database.url), { username: 'siphon_test_blind', password: 'secret' }).href;
      await runSql(blind, 'select pg_sleep(0.1)');
      await database.sql('grant usage on schema extensions to siphon_test_blind');
      await using poller = await start(blind);
      const polled = 'query_duration_seconds_count{query="postgres_health.statements"}';
      await waitFor(async () => ((await poller.own(polled)) ?? 0) > 1, { what: 'polls' });
      expect(seriesOf(poller, 'database.statement.calls')).toEqual({});
    });
  });
});

/** The calls of a statement; undefined if it has no series. */
function callsOf(poller: PollerUnderTest, statement: string): number | undefined {
  const calls = Object.entries(seriesOf(poller, 'database.statement.calls'));
  return calls.find(([labels]) => labels.endsWith(`statement=${statement}}`))?.[1];
}

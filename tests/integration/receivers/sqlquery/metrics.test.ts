import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RetryableError } from '../../../../src/engine/errors.ts';
import { Pgbouncer, pgbouncerPath } from '../../../support/postgres/pgbouncer.ts';
import { runSql, startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { TcpProxy } from '../../../support/network/tcp-proxy.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

const orders = {
  name: 'orders',
  sql: 'select state, count(*) as n from orders group by state order by state;\n',
  metrics: [{ metric_name: 'orders', value_column: 'n', attribute_columns: ['state'] }],
};
const one = { sql: 'select 1 as v', metrics: [{ metric_name: 'one', value_column: 'v' }] };
const paid = 'orders{state=paid}';
const sent = 'orders{state=sent}';

describe('sqlquery, metrics', () => {
  let database: TestPostgres;
  let datasource: string;
  beforeAll(async () => {
    database = await startTestPostgres({ schema: false });
    datasource = `${database.url}?sslmode=disable`;
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(async () => {
    await database.sql(`drop table if exists orders;
      create table orders (id int generated always as identity, state text, amount numeric);
      insert into orders (state, amount) values ('paid', 4.5), ('paid', 1), ('sent', null)`);
  });

  const start = (queries: unknown[], config: Record<string, unknown> = {}, pipeline?: () => void) =>
    ReceiverUnderTest.start(
      { datasource, queries, ...config },
      pipeline ? { pipeline: { consume: async () => pipeline() } } : {},
    );

  it('hands over a metric for each row, as the stock receiver does', async () => {
    const money = {
      sql: `select sum(amount)::text as total, now() as at, (extract(epoch from now()) * 1e9)::bigint as ns, true as yes from orders`,
      metrics: [
        {
          metric_name: 'money',
          value_column: 'total',
          value_type: 'double',
          data_type: 'sum',
          monotonic: true,
          aggregation: 'cumulative',
          unit: '{euro}',
          description: 'Money',
          attribute_columns: ['yes'],
          static_attributes: { shop: 'main' },
          ts_column: 'ns',
          start_ts_column: 'ns',
        },
      ],
    };
    await using receiver = await start([orders, money]);
    await has(receiver, paid, 2);
    await has(receiver, 'money{shop=main,yes=true}', 5.5);
    const scope = {
      name: 'github.com/open-telemetry/opentelemetry-collector-contrib/receiver/sqlqueryreceiver',
      version: '1.2.3',
    };
    const time_unix_nano = expect.stringMatching(/^\d{19}$/) as string;
    const gauge = (state: string, as_int: string) => ({
      name: 'orders',
      description: '',
      unit: '',
      gauge: {
        data_points: [{ attributes: [{ key: 'state', value: { string_value: state } }], time_unix_nano, as_int }],
      },
    });
    const metrics = [gauge('paid', '2'), gauge('sent', '1')];
    expect(receiver.requests).toContainEqual({
      resource_metrics: [{ resource: {}, scope_metrics: [{ scope, metrics }] }],
    });
    expect(receiver.requests).toContainEqual({
      resource_metrics: [
        {
          resource: {},
          scope_metrics: [
            {
              scope,
              metrics: [
                expect.objectContaining({
                  name: 'money',
                  unit: '{euro}',
                  description: 'Money',
                  sum: expect.objectContaining({ is_monotonic: true }) as unknown,
                }),
              ],
            },
          ],
        },
      ],
    });
  });

  it('connects by host, port and database', async () => {
    const { hostname: host, port, username, password, pathname } = new URL(database.url);
    await using receiver = await ReceiverUnderTest.start({
      host,
      port: Number(port),
      username,
      password: decodeURIComponent(password),
      database: pathname.slice(1),
      additional_params: { sslmode: 'disable', application_name: 'siphon-fields' },
      queries: [
        { sql: `select 1 as v, current_setting('application_name') as app`, metrics: [{ metric_name: 'one', value_column: 'v', attribute_columns: ['app'] }] }, // prettier-ignore
      ],
    });
    await has(receiver, 'one{app=siphon-fields}');
  });

  it('retracts what is gone, and everything of a query that fails', async () => {
    await using receiver = await start([orders, one]);
    await has(receiver, sent);
    await database.sql(`delete from orders where state = 'sent'`);
    await retracted(receiver, sent);
    expect(receiver.series.get(paid)).toBe(2);
    await database.sql('alter table orders rename to elsewhere');
    await retracted(receiver, paid);
    await counted(receiver, 'errors{query="orders",reason="missing_table"}');
    expect(receiver.said('Query failed')).toBe(1);
    expect(receiver.series.get('one{}')).toBe(1);
    await database.sql('alter table elsewhere rename to orders');
    await has(receiver, paid);
    await waitFor(() => receiver.said('Query succeeds again') === 1, { what: 'the log line' });
    expect(await receiver.own('errors{query="one",reason="missing_table"}')).toBeUndefined();
  });

  it('does not take back what deltas have added', async () => {
    const metrics = [{ metric_name: 'd', value_column: 'n', data_type: 'sum', aggregation: 'delta', attribute_columns: ['state'] }]; // prettier-ignore
    await using receiver = await start([{ ...orders, metrics }]);
    await has(receiver, 'd{state=sent}');
    await database.sql(`delete from orders where state = 'sent'`);
    const polls = receiver.points.get('d{state=paid}') ?? 0;
    await waitFor(() => (receiver.points.get('d{state=paid}') ?? 0) > polls + 2, { what: 'further polls' });
    expect(receiver.series.get('d{state=sent}')).toBe(1);
  });

  it('lets a query that hangs delay no other, and starts none twice', async () => {
    const slow = { ...one, name: 'slow', sql: 'select 1 as v from pg_sleep(1)', metrics: [{ metric_name: 'slow', value_column: 'v' }] }; // prettier-ignore
    await using receiver = await start([slow, { ...one, collection_interval: '100ms' }]);
    const running = `select count(*)::int as n from pg_stat_activity where query like '%pg_sleep(1)%' and state = 'active' and pid <> pg_backend_pid()`;
    let most = 0;
    await waitFor(
      async () => {
        most = Math.max(most, (await database.sql(running))[0]?.['n'] as number);
        return receiver.points.get('slow{}') === 2;
      },
      { what: 'the slow query, twice' },
    );
    expect(most).toBe(1);
    expect(receiver.points.get('one{}')).toBeGreaterThan(8);
  });

  it('ends a query at its own timeout, and waits for a lock no longer', async () => {
    const hangs = { ...one, name: 'hangs', sql: 'select 1 as v from pg_sleep(60)', timeout: '200ms' };
    const locked = { ...orders, timeout: '200ms' };
    await using receiver = await start([hangs, locked, one], { timeout: '5s' });
    await has(receiver, paid);
    const blocker = new Client({ connectionString: database.url });
    await blocker.connect();
    await blocker.query('begin; lock table orders in access exclusive mode');
    await retracted(receiver, paid);
    await counted(receiver, 'errors{query="hangs",reason="timeout"}');
    const waited = async (reason: string): Promise<number> =>
      (await receiver.own(`errors{query="orders",reason="${reason}"}`)) ?? 0;
    expect((await waited('timeout')) + (await waited('lock_timeout'))).toBeGreaterThan(0);
    expect(receiver.series.get('one{}')).toBe(1);
    await blocker.end();
    await has(receiver, paid);
  });

  it('emits no point for NULL, other values and missing columns; counts and logs it once, and continues', async () => {
    const bad = {
      name: 'bad',
      sql: 'select state, amount from orders',
      metrics: [
        { metric_name: 'whole', value_column: 'amount', attribute_columns: ['state'] },
        { metric_name: 'lacking', value_column: 'nowhere' },
      ],
    };
    await using receiver = await start([bad, one]);
    await has(receiver, 'whole{state=paid}', 1);
    await has(receiver, 'one{}');
    expect([...receiver.series.keys()].toSorted()).toEqual(['one{}', 'whole{state=paid}']);
    for (const reason of ['null', 'not_a_number', 'missing_column'])
      await counted(receiver, `dropped_points{query="bad",reason="${reason}"}`);
    await waitFor(() => (receiver.points.get('whole{state=paid}') ?? 0) > 2, { what: 'further polls' });
    expect(receiver.said('Some rows yield no point')).toBe(1);
    expect(await receiver.own('success_age_seconds{query="bad"}')).toBeLessThan(10);
    expect(await receiver.own('rows{query="bad"}')).toBe(3);
  });

  it('does not speak of NULL where that is to be ignored', async () => {
    const sql = 'select null::int as v';
    await using receiver = await start([{ ...one, sql, name: 'nulls', ignore_null_values: true }]);
    await waitFor(async () => ((await receiver.own('dropped_points{query="nulls",reason="null"}')) ?? 0) > 2, { what: 'some polls' }); // prettier-ignore
    expect(receiver.said('Some rows yield no point')).toBe(0);
    expect(receiver.requests).toEqual([]);
  });

  it('reports a wrong password, but never shows it', async (context) => {
    await database.sql(`create role siphon_test_wrong login password 'right'`);
    const wrong = Object.assign(new URL(datasource), { username: 'siphon_test_wrong', password: 'hunter2secret' }).href;
    const isTrusting = await runSql(wrong, 'select').then(
      () => true,
      () => false,
    );
    try {
      if (isTrusting) return context.skip('the server takes any password');
      await using receiver = await start([one], { datasource: wrong });
      await waitFor(() => receiver.said('Database cannot be polled') === 1, { what: 'the line' });
      await counted(receiver, 'errors{query="one",reason="authentication"}');
      expect(JSON.stringify(receiver.log)).not.toContain('hunter2secret');
    } finally {
      await database.sql('drop role siphon_test_wrong');
    }
  });

  it('requires TLS unless the configuration disables it', async () => {
    const isEncrypted = { ...one, sql: 'select ssl::int as v from pg_stat_ssl where pid = pg_backend_pid()' };
    await using receiver = await start([isEncrypted], { datasource: database.url });
    const [{ ssl } = {}] = await database.sql('show ssl');
    if (ssl === 'on') await has(receiver, 'one{}', 1);
    else await counted(receiver, 'errors{query="one",reason="connection"}');
    expect([...receiver.series.values()]).toEqual(ssl === 'on' ? [1] : []);
  });

  it('cannot write, nor leave its transaction', async () => {
    const write = {
      ...one,
      name: 'write',
      sql: `with gone as (delete from orders returning 1 as v) select v from gone`,
    };
    const escape = {
      ...one,
      name: 'escape',
      sql: 'select 1 as v) a; commit; delete from orders; select * from (select 1 as v',
    };
    await using receiver = await start([write, escape, orders]);
    await waitFor(() => receiver.said('Query failed') >= 2, { what: 'two failures' });
    await has(receiver, paid, 2);
  });

  it('bounds the rows of an answer', async () => {
    const many = { ...one, name: 'many', sql: 'select generate_series(1, 50001) as v' };
    await using receiver = await start([many, one], { collection_interval: '5s' });
    await counted(receiver, 'errors{query="many",reason="too_many_rows"}');
    await has(receiver, 'one{}');
  });

  it('keeps to max_open_conn', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const queries = names.map((name) => ({
      sql: 'select count(*) as v from pg_stat_activity, pg_sleep(0.05) where application_name = $$siphon-few$$',
      metrics: [{ metric_name: name, value_column: 'v' }],
    }));
    await using receiver = await start(queries, {
      datasource: `${datasource}&application_name=siphon-few`,
      max_open_conn: 2,
    });
    for (const name of names) await has(receiver, `${name}{}`);
    await waitFor(() => (receiver.points.get('d{}') ?? 0) > 3, { what: 'further polls' });
    expect(Math.max(...[...receiver.series.values()].map((value) => value ?? 0))).toBe(2);
    const connections = async (state: string): Promise<number | undefined> =>
      await receiver.own(`pool_connections{state="${state}"}`);
    await waitFor(async () => (await connections('used')) === 2, { what: 'both connections in use' });
    await waitFor(async () => ((await connections('waiting')) ?? 0) > 0, { what: 'a query that waits for one' });
  });

  it('reports that the database is back even if a query has lost its table meanwhile', async () => {
    const { hostname: host, port } = new URL(database.url);
    await using proxy = await TcpProxy.start({ host, port: Number(port) });
    await using receiver = await start([orders, one], {
      datasource: Object.assign(new URL(datasource), { hostname: '127.0.0.1', port: proxy.port }).href,
    });
    await has(receiver, paid);
    proxy.refuse(Buffer.alloc(0));
    proxy.cut();
    await waitFor(() => receiver.said('Database cannot be polled') === 1, { what: 'the log line' });
    await retracted(receiver, paid);
    await database.sql('drop table orders');
    proxy.refuse(undefined);
    await counted(receiver, 'errors{query="orders",reason="missing_table"}');
    await waitFor(() => receiver.said('Database can be polled again') === 1, { what: 'the log line' });
  });

  it('counts refusals of the pipeline, and continues when it accepts again', async () => {
    let refuses = true;
    await using receiver = await start([orders], {}, () => {
      if (refuses) throw new RetryableError('memory_limit', 'memory is above its limit');
    });
    await counted(receiver, 'errors{query="orders",reason="pipeline_refused"}');
    refuses = false;
    await has(receiver, paid);
  });

  it('writes its SQL to the log where that is wanted, and only there', async () => {
    await using quiet = await start([orders]);
    await using open = await start([orders], { telemetry: { logs: { query: true } } });
    await has(quiet, paid);
    await has(open, paid);
    expect(JSON.stringify(quiet.log)).not.toContain('group by state');
    expect(open.log.find(({ msg }) => msg === 'Running query')).toMatchObject({
      level: 20,
      query: 'orders',
      parameters: [],
    });
  });

  it('runs only the signals of its pipelines, and logs the others', async () => {
    const both = { ...orders, logs: [{ body_column: 'state' }] };
    await using receiver = await ReceiverUnderTest.start({ datasource, queries: [both] }, { signals: ['metrics'] });
    await has(receiver, paid);
    expect(receiver.log.find(({ unused }) => unused !== undefined)).toMatchObject({ unused: ['orders/logs: logs'] });
    expect(receiver.bodies).toEqual([]);
  });

  it('works behind pgbouncer in transaction mode', async (context) => {
    if (pgbouncerPath === undefined) return context.skip('pgbouncer is not installed');
    await using pooler = await Pgbouncer.start(database.url, 1);
    await using receiver = await start([orders, one], { datasource: `${pooler.url}?sslmode=disable` });
    await has(receiver, paid);
    await database.sql(`insert into orders (state) values ('paid')`);
    await has(receiver, paid, 3);
    await has(receiver, 'one{}');
  });
});

function has(receiver: ReceiverUnderTest, key: string, value?: number): Promise<boolean> {
  const isThere = (found: number | undefined): boolean => (value === undefined ? found !== undefined : found === value);
  return waitFor(() => isThere(receiver.series.get(key)), { what: `${key} ${value ?? ''}` });
}

function retracted(receiver: ReceiverUnderTest, key: string): Promise<boolean> {
  const isGone = (): boolean => receiver.series.has(key) && receiver.series.get(key) === undefined;
  return waitFor(isGone, { what: `the end of ${key}` });
}

function counted(receiver: ReceiverUnderTest, sample: string): Promise<boolean> {
  return waitFor(async () => ((await receiver.own(sample)) ?? 0) > 0, { what: sample });
}

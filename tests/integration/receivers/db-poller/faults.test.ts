import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RetryableError } from '../../../../src/engine/errors.ts';
import { freePorts } from '../../../support/network/free-ports.ts';
import { Pgbouncer, pgbouncerPath } from '../../../support/postgres/pgbouncer.ts';
import { runSql, startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { TcpProxy } from '../../../support/network/tcp-proxy.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const scrapePipeline = { scrape_pipeline: {} };
const roasters = 'roasters{is_active=true,platform=shopify}';
const coffees = 'coffees{platform=shopify,processing_status=unknown,roaster=blue,status=active}';

describe('db_poller when the database misbehaves', () => {
  let database: TestPostgres;
  beforeAll(async () => {
    database = await startTestPostgres();
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(async () => {
    await database.sql(`
      truncate roasters cascade;
      with roaster as (insert into roasters (name, slug, platform) values ('Blue', 'blue', 'shopify') returning id)
      insert into coffees (roaster_id, name, slug) select id, 'a', 'a' from roaster`);
  });

  const start = (config: Record<string, unknown> = {}): Promise<PollerUnderTest> =>
    PollerUnderTest.start({ datasource: database.pollerUrl, packs: scrapePipeline, ...config });

  const proxy = (): Promise<TcpProxy> => {
    const { hostname, port } = new URL(database.url);
    return TcpProxy.start({ host: hostname, port: Number(port) });
  };
  const through = (port: number): string => Object.assign(new URL(database.url), { port: String(port) }).href;

  it.each([
    ['table', 'alter table coffees rename to elsewhere', 'alter table elsewhere rename to coffees'],
    ['column', 'alter table coffees rename status to elsewhere', 'alter table coffees rename elsewhere to status'],
  ])(
    'loses a %s while it runs, switches off what needs it, and on again when it is back',
    async (_, lose, giveBack) => {
      await using poller = await start();
      await has(poller, coffees);
      await has(poller, roasters);
      await database.sql(lose);
      await waitFor(() => poller.series.get(coffees) === undefined, { what: 'the retraction' });
      const off = (): unknown[] => poller.log.filter(({ off: queries }) => queries !== undefined);
      await waitFor(() => off().length === 1, { what: 'the line about what is off' });
      expect(off()).toMatchObject([{ off: { coffees: expect.arrayContaining(['coffees.status']) } }]);
      expect(await poller.own('query_enabled{query="scrape_pipeline.coffees"}')).toBe(0);
      expect(poller.series.get(roasters)).toBe(1);
      await database.sql(giveBack);
      await has(poller, coffees);
      expect(await poller.own('query_enabled{query="scrape_pipeline.coffees"}')).toBe(1);
      expect(await poller.own('query_missing_columns{query="scrape_pipeline.coffees"}')).toBe(0);
      expect(poller.said('Query succeeds again')).toBeLessThanOrEqual(poller.said('Query failed'));
      await waitFor(() => poller.said('No columns are missing: all queries are on') === 1, { what: 'the line' });
    },
  );

  it('waits for a server that does not listen yet', async () => {
    const [port] = await freePorts(1);
    await using poller = await start({ datasource: through(port!) });
    await waitFor(() => poller.said('Database cannot be polled') === 1, { what: 'the line' });
    await waitFor(async () => (await poller.failures('connection')) > 0, { what: 'the counter' });
    const { hostname, port: serverPort } = new URL(database.url);
    await using _ = await TcpProxy.start({ host: hostname, port: Number(serverPort) }, port);
    await has(poller, roasters);
    await waitFor(() => poller.said('Database can be polled again') === 1, { what: 'the log line' });
    expect(poller.said('Database cannot be polled')).toBe(1);
  });

  it('gives up a silent server, retracts, shuts down immediately, and comes back', async () => {
    await using network = await proxy();
    // Nearly as many connections as queries, so that queries do not wait for each other.
    await using poller = await start({
      datasource: through(network.port),
      timeout: '200ms',
      connect_timeout: '500ms',
      max_connections: 10,
    });
    await has(poller, roasters);
    network.silence();
    await waitFor(() => poller.series.get(roasters) === undefined, { what: 'the retraction' });
    // Running queries end by their deadline or by the loss of the lead, whichever comes first.
    await waitFor(async () => (await poller.failures('connection')) > 0, { what: 'connections that time out' });
    network.resume();
    await has(poller, roasters);
    network.silence();
    const startedAt = performance.now();
    await poller.shutdown();
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });

  it('loses its connections and opens others', async () => {
    await using network = await proxy();
    await using poller = await start({ datasource: through(network.port) });
    await has(poller, coffees);
    for (let i = 0; i < 5; i++) {
      network.cut();
      await database.sql(`insert into roasters (name, slug, platform) values ('n', 'new${i}', 'shopify')`);
      await waitFor(() => poller.series.get(roasters) === i + 2, { what: 'the next count' });
    }
    // Two that ask, and the one that holds the lead.
    expect(network.connectionCount).toBeLessThanOrEqual(3);
  });

  it('waits for a server that is still starting up', async () => {
    await using network = await proxy();
    await using poller = await start({ datasource: through(network.port) });
    await has(poller, coffees);
    network.refuse(fatalError('57P03', 'the database system is starting up'));
    network.cut();
    await waitFor(() => poller.series.get(coffees) === undefined, { what: 'the retraction' });
    await waitFor(async () => (await poller.failures('unavailable')) > 0, { what: 'the counter' });
    expect(poller.said('Database cannot be polled')).toBe(1);
    network.refuse(undefined);
    await has(poller, coffees);
    await waitFor(() => poller.said('Database can be polled again') === 1, { what: 'the log line' });
  });

  it('waits for a free connection', async () => {
    await using role = await login(database, 'siphon_test_limited', 'connection limit 1');
    await database.sql(`grant select on all tables in schema public to ${role.name}`);
    const taken = new Client({ connectionString: role.url });
    await taken.connect();
    await using poller = await start({ datasource: role.url });
    await waitFor(async () => (await poller.failures('too_many_connections')) > 0, { what: 'the counter' });
    expect(poller.said('Database cannot be polled')).toBe(1);
    await taken.end();
    await database.sql('alter role siphon_test_limited connection limit 5');
    await has(poller, roasters);
  });

  it('reports a wrong password, but never shows it', async (context) => {
    const datasource = Object.assign(new URL(database.url), { password: 'hunter2secret' }).href;
    const isTrusted = await runSql(datasource, 'select').then(
      () => true,
      () => false,
    );
    if (isTrusted) return context.skip('the server of SIPHON_TEST_POSTGRES_URL takes any password');
    await using poller = await start({ datasource });
    await waitFor(() => poller.said('Database cannot be polled') === 1, { what: 'the line' });
    expect(await poller.failures('authentication')).toBeGreaterThan(0);
    expect(poller.logText).toContain('check user and password');
    expect(poller.logText).not.toContain('hunter2secret');
  });

  it('switches off what its role may not read', async () => {
    await using role = await login(database, 'siphon_test_narrow');
    await database.sql(`grant select on roasters to ${role.name}`);
    await using poller = await start({ datasource: role.url });
    await has(poller, roasters);
    expect(poller.series.has(coffees)).toBe(false);
    expect(await poller.own('query_enabled{query="scrape_pipeline.coffees"}')).toBe(0);
    expect(poller.said('Query failed')).toBe(0);
    await database.sql(`grant select on coffees to ${role.name}`);
    await has(poller, coffees);
  });

  it('counts refusals of the pipeline, does not send more to it, and continues when it accepts again', async () => {
    let refuses = false;
    let batches = 0;
    await using poller = await PollerUnderTest.start(
      { datasource: database.url, packs: scrapePipeline },
      {
        consume: async () => {
          batches++;
          if (refuses) throw new RetryableError('memory_limit', 'memory is above its limit');
        },
      },
    );
    await has(poller, roasters);
    refuses = true;
    const refused = (): Promise<number | undefined> =>
      poller.own('errors{query="scrape_pipeline.roasters",reason="pipeline_refused"}');
    await waitFor(async () => (await refused()) === 2, { what: 'the counter' });
    expect(poller.series.get(roasters)).toBe(1);
    await database.sql(`update roasters set is_active = false`);
    refuses = false;
    await waitFor(() => poller.series.get(roasters) === undefined, { what: 'the retraction, sent late' });
    expect(poller.series.get(roasters.replace('true', 'false'))).toBe(1);
    expect(batches).toBeGreaterThan(0);
  });

  it('keeps ten thousand roasters to the budget of the label', async () => {
    await database.sql(`insert into roasters (name, slug, platform, full_cadence, price_cadence)
      select 'n', 'r' || n, 'shopify', '@monthly', '@weekly' from generate_series(1, 9999) n`);
    await using poller = await start();
    const running = 'scrape.runs.running{platform=shopify,roaster=';
    const overdue = 'scrape.overdue{cadence=full,platform=shopify,roaster=';
    await has(poller, `${running}other}`);
    await has(poller, `${overdue}other}`);
    for (const prefix of [running, overdue]) {
      const names = [...poller.series.keys()].filter((key) => key.startsWith(prefix));
      expect(names).toHaveLength(101);
    }
    const replaced = 'replaced_label_values{query="scrape_pipeline.runs_running",label="roaster",reason="budget"}';
    expect(await poller.own(replaced)).toBeGreaterThanOrEqual(9900);
  });

  it('reports how long its queries take and when each last succeeded', async () => {
    await using poller = await start();
    await has(poller, roasters);
    const query = '{query="scrape_pipeline.roasters"}';
    expect(await poller.own(`query_duration_seconds_count${query}`)).toBeGreaterThan(0);
    expect(await poller.own(`query_duration_seconds_sum${query}`)).toBeGreaterThan(0);
    expect(await poller.own(`success_age_seconds${query}`)).toBeLessThan(10);
    // A slow query, of the 200 ms of the test.
    expect(await poller.own(`query_interval_seconds${query}`)).toBe(0.8);
    expect(await poller.own(`rows${query}`)).toBe(1);
    expect(await poller.own('connect_duration_seconds_count')).toBeGreaterThan(0);
    expect(await poller.own('errors{query="scrape_pipeline.roasters",reason="timeout"}')).toBe(0);
  });

  it('reports the connections of its pool, and the queries that wait for one', async () => {
    await using poller = await start({ max_connections: 1, lock_timeout: '4s' });
    const connections = (state: string): Promise<number | undefined> =>
      poller.own(`pool_connections{state="${state}"}`);
    await has(poller, coffees);
    const blocker = new Client({ connectionString: database.url });
    await blocker.connect();
    await blocker.query('begin; lock table coffees in access exclusive mode');
    await waitFor(async () => Number(await connections('waiting')) > 2, { what: 'queries that wait' });
    expect(await connections('used')).toBe(1);
    expect(await connections('idle')).toBe(0);
    await blocker.end();
    await waitFor(async () => (await connections('idle')) === 1, { what: 'the end of all polls' });
    expect(await connections('waiting')).toBe(0);
  });

  it('works behind pgbouncer in transaction mode', async (context) => {
    if (pgbouncerPath === undefined) return context.skip('pgbouncer is not installed');
    await using pooler = await Pgbouncer.start(database.url, 1);
    await using poller = await start({
      datasource: pooler.url,
      leader_election: { enabled: false },
      lock_timeout: '300ms',
      max_connections: 4,
    });
    await has(poller, coffees);
    const blocker = new Client({ connectionString: database.url });
    await blocker.connect();
    await blocker.query('begin; lock table coffees in access exclusive mode');
    await waitFor(() => poller.series.get(coffees) === undefined, { what: 'the retraction' });
    expect(await poller.failures('lock_timeout')).toBeGreaterThan(0);
    await blocker.end();
    await has(poller, coffees);
    const foreign = new Client({ connectionString: pooler.url });
    await foreign.connect();
    const settings = `select current_setting('statement_timeout') as statement, current_setting('transaction_read_only') as reading`;
    for (let i = 0; i < 20; i++)
      expect((await foreign.query(settings)).rows).toEqual([{ statement: '0', reading: 'off' }]);
    await foreign.end();
  });
});

function has(poller: PollerUnderTest, key: string): Promise<boolean> {
  return waitFor(() => poller.series.get(key) !== undefined, { what: key });
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-ERRORRESPONSE */
function fatalError(sqlState: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${sqlState}\0M${message}\0\0`);
  const head = Buffer.from('E\0\0\0\0');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

interface Role extends AsyncDisposable {
  readonly name: string;
  /** The database's URL for this role. */
  readonly url: string;
}

async function login(database: TestPostgres, name: string, options = ''): Promise<Role> {
  await database.sql(`create role ${name} login password 'secret' ${options}`);
  return {
    name,
    url: Object.assign(new URL(database.url), { username: name, password: 'secret' }).href,
    [Symbol.asyncDispose]: async () => void (await database.sql(`drop owned by ${name}; drop role ${name}`)),
  };
}

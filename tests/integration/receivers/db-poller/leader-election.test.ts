import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../../../src/engine/memory-storage.ts';
import { Pgbouncer, pgbouncerPath } from '../../../support/postgres/pgbouncer.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { Sidecar } from '../../../support/processes/sidecar.ts';
import { TcpProxy } from '../../../support/network/tcp-proxy.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest, readNumbers } from './poller-under-test.ts';

const roasters = 'roasters{is_active=true,platform=shopify}';
/** Two of the shortest leases. */
const TWO_INTERVALS_MS = 6000;
/** A server may have other databases, with elections of their own. */
const LOCKS = `from pg_locks where locktype = 'advisory' and database = (
  select oid from pg_database where datname = current_database())`;
const CONFIG = { packs: { scrape_pipeline: {} }, collection_interval: '200ms' };

describe('several db_pollers on one database', () => {
  let database: TestPostgres;
  beforeAll(async () => {
    database = await startTestPostgres();
    await database.sql(`insert into roasters (name, slug, platform) values ('Blue', 'blue', 'shopify')`);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const start = (config: Record<string, unknown> = {}): Promise<PollerUnderTest> =>
    PollerUnderTest.start({ datasource: database.url, ...CONFIG, ...config });
  const through = (port: number): string => Object.assign(new URL(database.url), { port: String(port) }).href;
  const proxy = (): Promise<TcpProxy> => {
    const { hostname, port } = new URL(database.url);
    return TcpProxy.start({ host: hostname, port: Number(port) });
  };

  it('polls if it is the only one, and of several exactly one does', async () => {
    const pollers = await Promise.all([start(), start(), start()]);
    await using _ = disposedTogether(pollers);
    await waitFor(() => pollers.some(polls), { what: 'a leader' });
    await waitFor(() => pollers.filter(standsBy).length === 2, { what: 'two that stand by' });
    expect(pollers.filter(polls)).toHaveLength(1);
    expect(await leaders(pollers)).toBe(1);
    for (const poller of pollers) expect(poller.series.size > 0).toBe((await leads(poller)) === 1);
  });

  it('reports when the server last answered about the lead, and stops when it does not answer', async () => {
    await using network = await proxy();
    await using leader = await start();
    await waitFor(() => polls(leader), { what: 'the leader' });
    await using standby = await start({ datasource: through(network.port) });
    await waitFor(() => standsBy(standby), { what: 'the standby' });
    const before = Date.now() / 1000;
    for (const poller of [leader, standby]) {
      await waitFor(async () => (await answeredAt(poller)) > before, { what: 'the next answer' });
    }
    network.silence();
    const silentSince = Date.now() / 1000;
    await waitFor(async () => (await answeredAt(leader)) > silentSince + 2, { what: 'answers that go on' });
    expect(await answeredAt(standby)).toBeLessThan(silentSince + 0.1);
  });

  it('hands the lead on at its shutdown', async () => {
    await using leader = await start();
    await waitFor(() => polls(leader), { what: 'the leader' });
    await using standby = await start();
    await waitFor(() => standsBy(standby), { what: 'the standby' });
    await leader.shutdown();
    await waitFor(() => polls(standby), { what: 'the takeover', timeoutMs: TWO_INTERVALS_MS });
  });

  it('keeps the lock in a session that is idle, in no transaction and without a snapshot', async () => {
    await using leader = await start();
    await waitFor(() => polls(leader), { what: 'the leader' });
    const sessions = await database.sql(`
      select state, xact_start, backend_xmin, backend_xid from pg_stat_activity a join pg_locks l using (pid)
      where l.locktype = 'advisory' and l.granted and a.datname = current_database()`);
    expect(sessions).toEqual([{ state: 'idle', xact_start: null, backend_xmin: null, backend_xid: null }]);
  });

  it('takes over when the leader is killed', async () => {
    const receiver = JSON.stringify({ datasource: database.url, ...CONFIG });
    await using leader = await Sidecar.start({ command: 'src/main.ts', sets: [`receivers.db_poller=${receiver}`] });
    await leader.waitForLog('This poller is the leader');
    await using standby = await start();
    await waitFor(() => standsBy(standby), { what: 'the standby' });
    await leader.stop('SIGKILL');
    await waitFor(() => polls(standby), { what: 'the takeover', timeoutMs: TWO_INTERVALS_MS });
  });

  it('takes over when the network loses the leader, which retracts what it published and stands by', async () => {
    await using network = await proxy();
    await using leader = await start({ datasource: through(network.port) });
    await waitFor(() => polls(leader), { what: 'the leader' });
    await using standby = await start();
    await waitFor(() => standsBy(standby), { what: 'the standby' });
    network.silence();
    const lostAt = performance.now();
    let retractedAt = 0;
    await waitFor(
      () => {
        if (retractedAt === 0 && leader.series.get(roasters) === undefined) retractedAt = performance.now();
        return polls(standby);
      },
      { what: 'the takeover', timeoutMs: TWO_INTERVALS_MS },
    );
    expect(retractedAt).toBeGreaterThan(lostAt);
    expect(await leads(leader)).toBe(0);
    network.resume();
    await waitFor(() => standsBy(leader), { what: 'the former leader, standing by' });
    expect(leader.series.get(roasters)).toBeUndefined();
    expect(leader.said('Database can be polled again')).toBe(1);
  });

  it('ends what runs, and retracts, as soon as it has lost the lead', async () => {
    const locker = await session(database);
    await using leader = await start({ lock_timeout: '50s', timeout: '50s' });
    await waitFor(() => polls(leader), { what: 'the leader' });
    await locker.query('begin; lock table roasters in access exclusive mode');
    const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'siphon'`;
    await waitFor(async () => (await database.sql(waiting)).length > 0, { what: 'queries that wait for the lock' });
    await endLead(database);
    await waitFor(() => leader.series.get(roasters) === undefined, { what: 'the retraction', timeoutMs: 1000 });
    await waitFor(async () => (await database.sql(waiting)).length === 0, { what: 'the end of the running query' });
    await locker.end();
    await waitFor(() => polls(leader), { what: 'the lead again' });
  });

  it('elects again when the database has been restarted', async (context) => {
    if (database.server === undefined) return context.skip('the server is not ours to restart');
    const pollers = await Promise.all([start(), start()]);
    await using _ = disposedTogether(pollers);
    await waitFor(() => pollers.some(polls), { what: 'a leader' });
    await database.server.pause();
    await waitFor(() => !pollers.some(polls), { what: 'the retraction' });
    await database.server.resume();
    await waitFor(() => pollers.some(polls), { what: 'a leader', timeoutMs: TWO_INTERVALS_MS });
    await waitFor(async () => (await leaders(pollers)) === 1, { what: 'one' });
  });

  it('stands by and logs why if the database refuses another connection', async () => {
    await database.sql(`create role siphon_test_two login password 'secret' connection limit 2;
      grant select on all tables in schema public to siphon_test_two`);
    const datasource = Object.assign(new URL(database.url), { username: 'siphon_test_two', password: 'secret' }).href;
    const taken = [new Client({ connectionString: datasource }), new Client({ connectionString: datasource })];
    await Promise.all(taken.map((client) => client.connect()));
    await using poller = await start({ datasource });
    const failures = (): Promise<number | undefined> =>
      poller.own('errors{query="leader_election",reason="too_many_connections"}');
    await waitFor(async () => ((await failures()) ?? 0) > 1, { what: 'the counter' });
    expect(poller.said('Database cannot be polled')).toBe(1);
    expect(poller.logText).toContain('the database has no free connection');
    expect(await leads(poller)).toBe(0);
    await Promise.all(taken.map((client) => client.end()));
    await waitFor(() => polls(poller), { what: 'the lead' });
    await poller.shutdown();
    await database.sql('drop owned by siphon_test_two; drop role siphon_test_two');
  });

  it('counts what has come since it first stood by, and shows it in one piece when it takes over', async () => {
    const counted = 'coffees.created{platform=shopify,roaster=blue}';
    await using leader = await start();
    await leader.hasBegunToCount();
    const kept = new MemoryStorage();
    const shown: number[] = [];
    await using standby = await PollerUnderTest.start(
      { datasource: database.url, ...CONFIG, storage: 'memory' },
      {
        consume: async ({ chunks }) => {
          const values = chunks.map((chunk) => readNumbers(chunk).get(counted));
          shown.push(...values.filter((value) => value !== undefined));
        },
      },
      { memory: Object.assign(kept, { start: async () => undefined, shutdown: async () => undefined }) },
    );
    const space = await kept.space({ kind: 'receiver', id: 'db_poller' });
    const position = 'state/scrape_pipeline.coffees_created';
    await waitFor(async () => (await space.get([position])).size === 1, { what: 'the position of the standby' });
    const add = (coffees: number): Promise<unknown> =>
      database.sql(`
        insert into coffees (roaster_id, name, slug) select id, 'n', gen_random_uuid()
        from roasters, generate_series(1, ${coffees})`);
    // More than one poll counts.
    await add(15_000);
    await waitFor(() => leader.series.get(counted) === 15_000, { what: 'what the leader counts' });
    expect(standby.series.size).toBe(0);
    await leader.shutdown();
    await waitFor(() => shown.length > 0, { what: 'what the next one counts' });
    expect(shown[0]).toBe(15_000);
    await add(1);
    await waitFor(() => shown.at(-1) === 15_001, { what: 'what came later' });
    await database.sql('delete from coffees');
  });

  it('remembers existing rows while it stands by, even if it has led before without doing so', async () => {
    await database.sql('create table orders (id int primary key generated always as identity)');
    const locker = await session(database);
    const rival = await session(database);
    await locker.query('begin; lock table orders in access exclusive mode');
    const kept = new MemoryStorage();
    await using poller = await PollerUnderTest.start(
      {
        datasource: database.url,
        lock_timeout: '100ms',
        storage: 'memory',
        queries: [{ name: 'orders', kind: 'counter', metric_name: 'orders', table: 'public.orders' }],
      },
      undefined,
      { memory: Object.assign(kept, { start: async () => undefined, shutdown: async () => undefined }) },
    );
    await waitFor(async () => (await poller.failures('lock_timeout')) > 0, { what: 'a baseline that fails' });
    const elected = rival.query(`select pg_advisory_lock((classid::bigint << 32) | objid::bigint)
      ${LOCKS} and granted`);
    const waiting = `select ${LOCKS} and not granted`;
    await waitFor(async () => (await database.sql(waiting)).length > 0, { what: 'the rival that waits' });
    await endLead(database);
    await elected;
    await waitFor(() => standsBy(poller), { what: 'the former leader, standing by' });
    await locker.query('commit');
    const space = await kept.space({ kind: 'receiver', id: 'db_poller' });
    await waitFor(async () => (await space.get(['state/orders'])).size > 0, { what: 'its position' });
    await database.sql('insert into orders select from generate_series(1, 3)');
    await rival.end();
    await waitFor(() => poller.series.get('orders{}') === 3, { what: 'what came while it stood by' });
    await locker.end();
    await database.sql('drop table orders');
  });

  it('polls without an election where that is switched off', async () => {
    const pollers = await Promise.all([1, 2].map(() => start({ leader_election: { enabled: false } })));
    await using _ = disposedTogether(pollers);
    await waitFor(() => pollers.every(polls), { what: 'both' });
    expect(await Promise.all(pollers.map(leads))).toEqual([1, 1]);
  });

  it('lets pollers of different names poll side by side', async () => {
    const pollers = await Promise.all(['a', 'b'].map((name) => start({ leader_election: { name } })));
    await using _ = disposedTogether(pollers);
    await waitFor(() => pollers.every(polls), { what: 'both' });
  });

  describe.skipIf(pgbouncerPath === undefined)('behind pgbouncer', () => {
    it('is elected in session mode', async () => {
      await using pooler = await Pgbouncer.start(database.url, 10, { mode: 'session' });
      await using leader = await start({ datasource: pooler.url });
      await waitFor(() => polls(leader), { what: 'the leader' });
      await using standby = await start({ datasource: pooler.url });
      await waitFor(() => standsBy(standby), { what: 'the standby' });
      await leader.shutdown();
      await waitFor(() => polls(standby), { what: 'the takeover', timeoutMs: TWO_INTERVALS_MS });
    });

    it('stands by in transaction mode, suggests a fix, and leads with a direct connection', async () => {
      await using pooler = await Pgbouncer.start(database.url, 10);
      await using poller = await start({ datasource: pooler.url });
      await waitFor(() => poller.said('Database cannot be polled') === 1, { what: 'the line' });
      expect(poller.logText).toContain('set leader_election::datasource to the database itself');
      expect(await poller.own('errors{query="leader_election",reason="pooler"}')).toBeGreaterThan(0);
      expect(await leads(poller)).toBe(0);
      expect(await database.sql(`select ${LOCKS}`)).toEqual([]);
      await using direct = await start({ datasource: pooler.url, leader_election: { datasource: database.url } });
      await waitFor(() => polls(direct), { what: 'the lead' });
    });
  });
});

/** In Unix time. */
async function answeredAt(poller: PollerUnderTest): Promise<number> {
  const age = await poller.own('success_age_seconds{query="leader_election"}');
  return age === undefined ? 0 : Date.now() / 1000 - age;
}

function polls(poller: PollerUnderTest): boolean {
  return poller.series.get(roasters) !== undefined;
}

function standsBy(poller: PollerUnderTest): boolean {
  return poller.said('Another poller is the leader: standing by') > 0;
}

async function leads(poller: PollerUnderTest): Promise<number | undefined> {
  return await poller.own('leader');
}

async function leaders(pollers: readonly PollerUnderTest[]): Promise<number> {
  return (await Promise.all(pollers.map(leads))).filter((value) => value === 1).length;
}

async function session(database: TestPostgres): Promise<Client> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  return client;
}

/** As an administrator might. */
async function endLead(database: TestPostgres): Promise<void> {
  await database.sql(`select pg_terminate_backend(pid) ${LOCKS} and granted`);
}

function disposedTogether(pollers: readonly PollerUnderTest[]): AsyncDisposable {
  return { [Symbol.asyncDispose]: async () => void (await Promise.all(pollers.map((poller) => poller.shutdown()))) };
}

import { networkInterfaces } from 'node:os';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Finding } from '../../../../src/engine/component.ts';
import { scrapePipelineStatements } from '../../../../examples/postgres/shipped-sql.ts';
import { versionFindings } from '../../../../src/components/receivers/db-poller/doctor/connection.ts';
import { dbPollerReceiver } from '../../../../src/components/receivers/db-poller/factory.ts';
import { packs as builtInPacks } from '../../../../src/packs/index.ts';
import { findingsOf } from '../../../support/components/findings.ts';
import { Pgbouncer, pgbouncerPath } from '../../../support/postgres/pgbouncer.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { provokedFindings } from './provoked.ts';
import { TcpProxy } from '../../../support/network/tcp-proxy.ts';

const isFlaw = ({ severity }: Finding): boolean => severity === 'error' || severity === 'warning';

describe('siphon doctor on db_poller', () => {
  let database: TestPostgres;
  beforeAll(async () => {
    database = await startTestPostgres();
    await database.sql(`
      insert into roasters (name, slug, platform, full_cadence) values ('Blue', 'blue', 'shopify', '@monthly');
      insert into coffees (roaster_id, name, slug) select id, 'a', 'a' from roasters;
      insert into variants (coffee_id, platform_variant_id, currency, in_stock) select id, 'v', 'INR', true from coffees;
      insert into prices (variant_id, price, currency, scraped_at)
        select id, 1, 'INR', timestamptz '2026-01-01' + n * interval '1 s' from variants, generate_series(1, 20000) n;
      analyze`);
  });
  afterAll(() => database[Symbol.asyncDispose]());
  afterEach(() => vi.useRealTimers());

  const examine = (config: Record<string, unknown> = {}): Promise<Finding[]> =>
    findingsOf(dbPollerReceiver(builtInPacks), {
      datasource: database.pollerUrl,
      storage: 'file_storage',
      packs: { scrape_pipeline: {}, postgres_health: {} },
      ...config,
    });
  const flaws = async (config?: Record<string, unknown>): Promise<Finding[]> => (await examine(config)).filter(isFlaw);
  const roleUrl = (changes: Partial<URL>): string => Object.assign(new URL(database.pollerUrl), changes).href;

  const naming = (...tables: string[]) => examine({ packs: { postgres_health: { tables } } });
  const inSchema = (schema: string) => flaws({ packs: { scrape_pipeline: { schema } } });
  const proxy = (host?: string): Promise<TcpProxy> => {
    const { hostname, port } = new URL(database.url);
    return TcpProxy.start({ host: hostname, port: Number(port) }, 0, host);
  };
  const dropAll = async (): Promise<void> => {
    const rows = await database.sql(`
      select indexrelid::regclass::text as name from pg_index
      where not indisunique and indrelid::regclass::text in ('prices', 'scrape_artifacts', 'scrape_runs')`);
    for (const { name } of rows) await database.sql(`drop index ${String(name)}`);
  };

  const provoked = async (breaking: string, mending?: string): Promise<Finding[]> =>
    await provokedFindings(database, flaws, { breaking, ...(mending !== undefined && { mending }) });

  it('finds no problem with the shipped role and indexes, and reports what is ok', async () => {
    const all = await examine();
    expect(all.filter(isFlaw)).toEqual([]);
    const found = all.filter(({ what }) => !what.includes('on this version'));
    expect(found.map(({ what }) => what)).toEqual([
      expect.stringMatching(/^connected to PostgreSQL \d+.* in \d+ ms, without TLS$/),
      `role ${database.pollerRole} is read-only, has timeouts and may see the activity of other sessions`,
      expect.stringMatching(/may read all \d tables of scrape_pipeline$/),
      expect.stringMatching(
        /^postgres_health.statements has no values: .* lacks pg_stat_statements; to have them, run: create extension pg_stat_statements;/,
      ),
      'the large tables of scrape_pipeline have their indexes',
      'no write transaction has been open for long',
      'the clocks of the database and of this machine agree',
      expect.stringMatching(/^\d+ queries answer; the slowest, .*, takes \d+ ms$/),
      expect.stringMatching(
        /^answers without values at the moment: .*postgres_health\.subscriptions, postgres_health\.standby$/,
      ),
    ]);
    expect(all.at(-1)).toMatchObject({ severity: 'note' });
    expect(all.at(-1)?.what).not.toContain('postgres_health.server');
  });

  describe('the connection', () => {
    it('is off without a datasource', async () => {
      expect(await examine({ datasource: '' })).toMatchObject([{ severity: 'warning', repair: 'Set datasource' }]);
    });

    it('cannot be opened: nothing else is checked, and no password is shown', async () => {
      const found = await examine({ datasource: roleUrl({ password: 'hunter2secret' }) });
      if (found[0]?.severity === 'ok') return; // The server trusts everybody.
      expect(found).toMatchObject([{ severity: 'error', what: expect.stringContaining('check user and password') }]);
      expect(JSON.stringify(found)).not.toContain('hunter2secret');
    });

    it('waits no longer than it may for a server that is silent', async () => {
      await using network = await proxy();
      network.silence();
      const startedAt = performance.now();
      const found = await examine({ datasource: roleUrl({ port: String(network.port) }), connect_timeout: '300ms' });
      expect(found).toMatchObject([{ severity: 'error', what: expect.stringContaining('cannot reach the database') }]);
      expect(performance.now() - startedAt).toBeLessThan(2000);
    });

    it('leaves the machine without TLS', async (context) => {
      const host = otherAddress();
      if (host === undefined) return context.skip('this machine has no address but its own');
      await using network = await proxy(host);
      const found = await flaws({ datasource: roleUrl({ hostname: host, port: String(network.port) }) });
      expect(found).toMatchObject([
        { severity: 'warning', what: 'the connection to another machine does not use TLS' },
      ]);
    });

    it('leads to a server that is too old to count rows exactly', () => {
      expect(versionFindings(130_000)).toEqual([]);
      expect(versionFindings(120_022)).toMatchObject([{ severity: 'error', repair: 'Upgrade PostgreSQL' }]);
    });
  });

  describe('the tables', () => {
    it('are in another schema', async () => {
      const repair = 'Set packs::scrape_pipeline::schema: public';
      const nowhere = { severity: 'error', what: 'schema nowhere does not exist', repair };
      expect(await inSchema('nowhere')).toEqual([nowhere]);
      await database.sql('create schema bare');
      const none = { severity: 'error', what: 'schema bare has none of the tables of scrape_pipeline', repair };
      expect(await inSchema('bare')).toEqual([none]);
      await database.sql('drop schema bare');
    });

    it('are those of another program: the pack must be removed, and nothing of it is in order', async () => {
      await using shop = await startTestPostgres({ schema: false });
      await shop.sql('create table orders (id int primary key generated always as identity)');
      const found = await findingsOf(dbPollerReceiver(builtInPacks), {
        datasource: shop.url,
        packs: { scrape_pipeline: {} },
      });
      expect(found.filter(({ severity }) => severity === 'error')).toEqual([
        {
          severity: 'error',
          what: 'schema public has none of the tables of scrape_pipeline',
          repair: 'The pack is not for this database: remove packs::scrape_pipeline',
        },
      ]);
      expect(found.filter(({ what }) => what.includes('index'))).toEqual([]);
    });

    it('may not be read, wholly or in part', async () => {
      const found = await provoked(
        `revoke select on coffees, variants from ${database.pollerRole}; grant select (coffee_id, status) on variants to ${database.pollerRole}`,
      );
      expect(found).toMatchObject([
        {
          severity: 'error',
          what: expect.stringMatching(/may not read .*roaster_id.* of public.coffees \(off: .*coffees/),
          repair: `grant select on public.coffees to ${database.pollerRole};`,
        },
        { severity: 'error', what: expect.stringMatching(/may not read .*in_stock.* of public.variants/) },
      ]);
    });

    it('lack a column that something needs, and one that something makes use of', async () => {
      const found = await provoked(
        'alter table coffees rename status to state; alter table scrape_runs rename stats_json to stats',
        'alter table coffees rename state to status; alter table scrape_runs rename stats to stats_json',
      );
      expect(found).toMatchObject([
        { severity: 'warning', what: 'table public.scrape_runs has no stats_json (reduced: overdue, health)' },
        { severity: 'warning', what: expect.stringMatching(/^table public.coffees has no status \(off: coffees/) },
      ]);
    });

    it('are not all there', async () => {
      const found = await provoked('alter table coffees rename to c', 'alter table c rename to coffees');
      expect(found).toMatchObject([
        {
          severity: 'warning',
          what: expect.stringMatching(/^table public.coffees does not exist \(off: coffees, review_rate/),
        },
      ]);
    });

    it('hide their rows from the role by row level security', async () => {
      const found = await provoked('alter table roasters enable row level security');
      expect(found).toMatchObject([
        {
          severity: 'error',
          what: expect.stringMatching(/^row level security hides all of about 1 rows of public.roasters/),
        },
      ]);
      expect((await examine()).map(({ what }) => what)).toContain(
        `row level security lets role ${database.pollerRole} see all rows of public.roasters`,
      );
      await database.sql(
        'drop policy siphon_reads on roasters; create policy active_only on roasters using (is_active)',
      );
      expect(await flaws()).toMatchObject([
        { severity: 'warning', what: expect.stringMatching(/^row level security may hide rows of public.roasters/) },
      ]);
      await database.sql('drop policy active_only on roasters; alter table roasters disable row level security');
    });
  });

  it('names missing tables of postgres_health', async () => {
    expect(await naming('public.prices', 'public.Prices', 'nowhere.prices')).toContainEqual({
      severity: 'warning',
      what: 'postgres_health.tables has no series for listed tables that do not exist: public.Prices, nowhere.prices',
      repair: expect.stringContaining('schema.table'),
    });
    expect((await naming('public.prices', 'public.coffees')).filter(isFlaw)).toEqual([]);
  });

  describe('the indexes', () => {
    it('are missing: each is asked for as it is shipped', async () => {
      await dropAll();
      const found = await flaws();
      expect(found.map(({ severity }) => severity)).toEqual(Array.from({ length: 6 }, () => 'warning'));
      const shipped = (await scrapePipelineStatements()).indexes.map(oneLine);
      expect(found.map(({ repair }) => repair)).toEqual(shipped.map((statement) => `${statement};`));
      for (const { repair } of found) await database.sql(repair!);
      expect(await flaws()).toEqual([]);
    });

    it('are invalid', async () => {
      const found = await provoked(
        `update pg_index set indisvalid = false where indexrelid = 'siphon_scrape_artifacts_run_id'::regclass`,
        `update pg_index set indisvalid = true where indexrelid = 'siphon_scrape_artifacts_run_id'::regclass`,
      );
      expect(found).toMatchObject([
        {
          what: expect.stringContaining('is invalid'),
          repair: 'drop index concurrently public.siphon_scrape_artifacts_run_id;',
        },
        { what: expect.stringContaining('no index on public.scrape_artifacts (run_id)') },
      ]);
    });

    it('are BRIN where rows do not lie in the order of their time', async () => {
      const found = await provoked(`
        create table shuffled as select * from prices order by random();
        truncate prices; insert into prices select * from shuffled; drop table shuffled; analyze prices`);
      expect(found).toMatchObject([
        {
          severity: 'warning',
          what: expect.stringMatching(
            /^rows of public.prices are not stored in the order of scraped_at \(correlation -?0\.0\d\)/,
          ),
          repair: 'create index concurrently on public.prices (scraped_at);',
        },
      ]);
    });
  });

  describe('the activity', () => {
    const often = { collection_interval: '100ms' };

    it('is a transaction that has written and does not end', async () => {
      const writer = new Client({ connectionString: database.url, application_name: 'nightly import' });
      await writer.connect();
      await writer.query('begin; select pg_current_xact_id(), pg_sleep(1)');
      const found = await flaws(often);
      await writer.end();
      expect(found).toMatchObject([
        {
          severity: 'warning',
          what: expect.stringMatching(/^a write transaction of nightly import of \w+, pid \d+, has been open for \d s/),
          repair: expect.stringMatching(/pg_terminate_backend\(\d+\)/),
        },
      ]);
      expect(await flaws(often)).toEqual([]);
    });

    it('is a transaction that is prepared and not ended', async (context) => {
      const { server } = database;
      if (server === undefined) return context.skip('the server is not ours to restart');
      await database.sql('alter system set max_prepared_transactions = 2');
      await server.pause();
      await server.resume();
      await database.sql(`begin; select pg_current_xact_id(); prepare transaction 'it''s'`);
      await database.sql('select pg_sleep(1)');
      const found = await flaws(often);
      await database.sql(`rollback prepared 'it''s'`);
      expect(found).toMatchObject([{ severity: 'warning', repair: `Commit it, or: rollback prepared 'it''s';` }]);
    });

    it('is that counters will not outlive the sidecar', async () => {
      const flaw = { severity: 'warning', what: expect.stringMatching(/^storage is not set: counters restart at 0/) };
      expect(await flaws({ storage: undefined })).toMatchObject([flaw]);
      expect(await flaws({ storage: undefined, packs: { postgres_health: {} } })).toEqual([]);
    });

    it('is that the clocks differ', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 60_000 });
      // The exact difference is in the unit test of the check.
      const found = await flaws();
      expect(found).toMatchObject([
        { severity: 'warning', what: expect.stringMatching(/^the clock of the database is \d+\.\d s ahead of/) },
      ]);
    });

    it('is a cron text without meaning', async () => {
      const found = await provoked(
        `update roasters set price_cadence = 'every tuesday'`,
        'update roasters set price_cadence = null',
      );
      expect(found).toMatchObject([
        { severity: 'warning', what: expect.stringContaining('price_cadence of roaster blue') },
      ]);
    });

    it('is a query that does not answer in time', async () => {
      const locker = new Client({ connectionString: database.url });
      await locker.connect();
      await locker.query('begin; lock table variants in access exclusive mode');
      const found = await flaws({ lock_timeout: '5s', timeout: '300ms' });
      await locker.end();
      expect(found).toMatchObject(
        found.map(() => ({ severity: 'error', what: expect.stringContaining('returns no points: the query') })),
      );
      expect(found.map(({ what }) => what.split(' ')[0])).toContain('scrape_pipeline.variants');
      expect(found[0]?.repair).toContain('packs::scrape_pipeline::queries::');
    });
  });

  describe.skipIf(pgbouncerPath === undefined)('behind pgbouncer', () => {
    it('no leader can be elected in transaction mode, unless the election goes to the database', async () => {
      await using pooler = await Pgbouncer.start(database.url, 5);
      const datasource = pooler.url;
      const relevant = async (leader_election: Record<string, unknown>): Promise<Finding[]> =>
        (await flaws({ datasource, leader_election })).filter(({ what }) => !what.startsWith('role '));
      expect(await relevant({})).toMatchObject([
        { severity: 'error', what: expect.stringContaining('a pooler in transaction mode') },
      ]);
      expect(await relevant({ enabled: false })).toEqual([]);
      expect(await relevant({ datasource: database.url })).toEqual([]);
      const unreachable = Object.assign(new URL(database.url), { port: '1' }).href;
      expect(await relevant({ datasource: unreachable })).toMatchObject([
        { severity: 'error', what: expect.stringContaining('cannot open the session of the leader election') },
      ]);
    });

    it('session mode is as good as none', async () => {
      await using pooler = await Pgbouncer.start(database.url, 5, { mode: 'session' });
      const found = await examine({ datasource: pooler.url });
      expect(found.map(({ what }) => what)).toContain(
        'the connection goes through a pooler that keeps a session for each client',
      );
    });
  });
});

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

/** An address of this machine that other machines may reach. */
function otherAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
}

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Client } from 'pg';
import * as v from 'valibot';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Component } from '../../../../src/engine/component.ts';
import { MemoryStorage } from '../../../../src/engine/memory-storage.ts';
import { StorageError, type StorageOwner, type StorageSpace } from '../../../../src/engine/storage.ts';
import { fileStorageConfig } from '../../../../src/components/extensions/file-storage/config.ts';
import { fileStorageExtension } from '../../../../src/components/extensions/file-storage/factory.ts';
import { componentSettings } from '../../../support/components/component-settings.ts';
import { hostWith } from '../../../support/components/host-with.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { PollerUnderTest } from './poller-under-test.ts';

const blue = 'platform=shopify,roaster=blue';
const prices = `prices.recorded{currency=INR,is_sale=false,${blue}}`;

/** Inserts prices, each of a new variant. */
const price = (rows: number, scrapedAt = 'clock_timestamp()'): string => `
  with variant as (
    insert into variants (coffee_id, platform_variant_id, currency, in_stock)
    select c.id, gen_random_uuid()::text, 'INR', true from coffees c, generate_series(1, ${rows}) n where c.slug = 'a' returning id)
  insert into prices (variant_id, price, currency, scraped_at) select id, 100, 'INR', ${scrapedAt} from variant`;

const rewrite = 'alter table prices alter column price type numeric(20, 4)';

describe('db_poller counts rows exactly', () => {
  let database: TestPostgres;
  const clients: Client[] = [];
  beforeAll(async () => {
    database = await startTestPostgres();
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(async () => {
    await database.sql(`
      truncate roasters, product_sources, scrape_runs, scrape_artifacts, coffees, variants, prices cascade;
      with roaster as (insert into roasters (name, slug, platform) values ('Blue', 'blue', 'shopify') returning id),
           source as (insert into product_sources (roaster_id, base_url, platform, products_endpoint)
                      select id, 'http://blue', 'shopify', '/p' from roaster)
      insert into coffees (roaster_id, name, slug) select id, 'a', 'a' from roaster`);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map(async (client) => await client.end()));
  });

  const start = (options: Record<string, unknown> = {}): Promise<PollerUnderTest> =>
    PollerUnderTest.start({ datasource: database.url, packs: { scrape_pipeline: {} }, ...options });

  const session = async (): Promise<Client> => {
    const client = new Client({ connectionString: database.url });
    clients.push(client);
    await client.connect();
    return client;
  };

  /** A poller that has counted three rows, and was away while this happened. */
  const lookingAgainAfter = async (happened: () => Promise<unknown>): Promise<PollerUnderTest> => {
    const extensions = { storage: new TestStorage() };
    {
      await using poller = await PollerUnderTest.start(config(database), undefined, extensions);
      await poller.hasBegunToCount();
      await database.sql(price(3));
      await shows(poller, prices, 3);
    }
    await happened();
    await database.sql(price(1));
    await database.sql(price(1));
    const poller = await PollerUnderTest.start(config(database), undefined, extensions);
    await poller.hasBegunToCount();
    return poller;
  };

  it('counts rows that come after its start, and no existing ones', async () => {
    await database.sql(price(3));
    await using poller = await start();
    await poller.hasBegunToCount();
    await database.sql(price(2));
    await shows(poller, prices, 2);
    await shows(poller, `price.deltas{change_type=first,currency=INR,${blue}}`, 2);
    await shows(poller, `variants.created{${blue}}`, 2);
    await shows(poller, `coffees.created{${blue}}`, 0);
    expect(await poller.failures('other')).toBe(0);
    const finished = [...poller.series].filter(([series]) => series.startsWith('scrape.runs.finished{'));
    const statuses = ['ok', 'partial', 'fail'].map((status) => [`scrape.runs.finished{${blue},status=${status}}`, 0]);
    expect(Object.fromEntries(finished)).toEqual(Object.fromEntries(statuses));
  });

  it('waits for every older transaction that writes, so that nothing can come before what was counted', async () => {
    await using poller = await start();
    await poller.hasBegunToCount();
    const slow = await session();
    await slow.query('begin');
    await slow.query(price(1));
    await database.sql(price(4));
    await slow.query('savepoint s');
    await slow.query(price(2));
    await slow.query('rollback to s');
    await slow.query('savepoint s');
    await slow.query(price(3));
    await waitFor(async () => ((await poller.own('horizon_lag_seconds')) ?? 0) > 0, { what: 'the lag' });
    expect(poller.series.get(prices)).toBeUndefined();
    await slow.query('commit');
    await shows(poller, prices, 8);
    await waitFor(async () => (await poller.own('horizon_lag_seconds')) === 0, { what: 'the end of the lag' });
  });

  it('counts a bulk insert in batches, and reports how much is left', async () => {
    await using poller = await start({ packs: { scrape_pipeline: { batch_rows: 100 } } });
    await poller.hasBegunToCount();
    await database.sql(price(1000));
    await waitFor(async () => ((await poller.own('backlog_rows{query="scrape_pipeline.prices"}')) ?? 0) > 0, {
      what: 'a backlog',
    });
    await shows(poller, prices, 1000);
    await waitFor(async () => (await poller.own('backlog_rows{query="scrape_pipeline.prices"}')) === 0, {
      what: 'the end of the backlog',
    });
  });

  it('names roasters by the column that is set, in gauges and counters alike', async () => {
    await using poller = await start({ packs: { scrape_pipeline: { roaster_label: 'name' } } });
    await shows(poller, 'coffees.created{platform=shopify,roaster=Blue}', 0);
    await shows(poller, 'coffees{platform=shopify,processing_status=unknown,roaster=Blue,status=active}', 1);
    await shows(poller, 'scrape.runs.running{platform=shopify,roaster=Blue}', 0);
    expect(await poller.failures('other')).toBe(0);
  });

  it('counts, when it takes over, what has come since it began to stand by', async () => {
    const leader = await start();
    await leader.hasBegunToCount();
    const storage = new TestStorage();
    await using standby = await PollerUnderTest.start(config(database), undefined, { storage });
    await waitFor(async () => await storage.hasBegun('prices'), { what: 'the baseline of the standby' });
    await database.sql(price(3));
    await shows(leader, prices, 3);
    expect(standby.series.size).toBe(0);
    await leader.shutdown();
    await database.sql(price(2));
    await shows(standby, prices, 5);
  });

  it('counts a run once for each of its events, however often it is touched', async () => {
    await using poller = await start();
    await poller.hasBegunToCount();
    const [run] = await database.sql('select rpc_scrape_run_start(id) as id from product_sources');
    await shows(poller, `scrape.runs.started{${blue}}`, 1);
    await shows(poller, `scrape.runs.finished{${blue},status=ok}`, 0);
    await database.sql(`select rpc_scrape_run_finish($1, '{}', 'ok')`, [run!['id']]);
    await shows(poller, `scrape.runs.finished{${blue},status=ok}`, 1);
    await database.sql(`update scrape_runs set stats_json = '{"again": 1}'`);
    await database.sql(`update scrape_runs set status = 'fail'`);
    await database.sql('select rpc_scrape_run_start(id) as id from product_sources');
    await shows(poller, `scrape.runs.started{${blue}}`, 2);
    expect(poller.series.get(`scrape.runs.finished{${blue},status=ok}`)).toBe(1);
    expect(poller.series.get(`scrape.runs.finished{${blue},status=fail}`)).toBe(0);
    expect(poller.series.get(`scrape.run.duration_count{${blue},status=ok}`)).toBe(1);
  });

  it('counts rows that say they are old when the whole table is read, once', async () => {
    await using poller = await start({ reconcile_interval: '300ms' });
    await poller.hasBegunToCount();
    await database.sql(price(7, `now() - interval '3 days'`));
    await database.sql(price(2));
    await shows(poller, prices, 9);
    await waitFor(async () => (await poller.own('uncounted_inserts{query="scrape_pipeline.prices"}')) === 0, {
      what: 'as many counted as inserted',
    });
    await database.sql(price(1));
    await shows(poller, prices, 10);
  });

  it('continues from its stored state, and counts later rows', async () => {
    const storage = new TestStorage();
    const poller = await PollerUnderTest.start(config(database), undefined, { storage });
    await poller.hasBegunToCount();
    await database.sql(price(3));
    await shows(poller, prices, 3);
    await poller.shutdown();
    await database.sql(price(2));
    await using next = await PollerUnderTest.start(config(database), undefined, { storage });
    await shows(next, prices, 5);
    expect(next.said('Counting started again: the counters restart at 0')).toBe(0);
  });

  it('publishes nothing that it could not keep, and counts the same rows when there is room again', async () => {
    const storage = new TestStorage();
    await using poller = await PollerUnderTest.start(config(database), undefined, { storage });
    await poller.hasBegunToCount();
    storage.isFull = true;
    await database.sql(price(3));
    await waitFor(async () => (await poller.failures('storage')) > 1, { what: 'refused writes' });
    expect(poller.series.get(prices)).toBeUndefined();
    storage.isFull = false;
    await shows(poller, prices, 3);
    expect(await poller.own('rebaselines{query="scrape_pipeline.prices",reason="corrupt"}')).toBe(0);
  });

  it.each([
    ['corrupt', (storage: TestStorage) => storage.change('state/scrape_pipeline.prices', (text) => `${text} `)],
    [
      'identity',
      (storage: TestStorage) =>
        storage.change('state/scrape_pipeline.prices', (text) => sealed(text.replace('"history":"', '"history":"9'))),
    ],
    [
      'horizon',
      (storage: TestStorage) =>
        storage.change('state/scrape_pipeline.prices', (text) => sealed(text.replace('"position":{"xid":', '"position":{"xid":9'))), // prettier-ignore
    ],
  ] as const)('starts again, reports it and counts on when its stored state is unusable: %s', async (reason, spoil) => {
    const storage = new TestStorage();
    const poller = await PollerUnderTest.start(config(database), undefined, { storage });
    await poller.hasBegunToCount();
    await database.sql(price(3));
    await shows(poller, prices, 3);
    await poller.shutdown();
    await spoil(storage);
    await using next = await PollerUnderTest.start(config(database), undefined, { storage });
    await next.hasBegunToCount();
    expect(next.said('Counting started again: the counters restart at 0')).toBe(1);
    expect(await next.own(`rebaselines{query="scrape_pipeline.prices",reason="${reason}"}`)).toBe(1);
    await database.sql(price(2));
    await shows(next, prices, 2);
  });

  it('starts again when the file of the storage is corrupt, and the storage reports it', async () => {
    await using files = await TestFiles.make();
    const poller = await PollerUnderTest.start(config(database), undefined, { storage: await files.open() });
    await poller.hasBegunToCount();
    await database.sql(price(3));
    await shows(poller, prices, 3);
    await poller.shutdown();
    await files.spoil();
    await using next = await PollerUnderTest.start(config(database), undefined, { storage: await files.open() });
    await next.hasBegunToCount();
    expect(files.lines).toMatchObject([{ level: 50, setAsideAs: expect.stringContaining('.corrupt-') }]);
    await database.sql(price(2));
    await shows(next, prices, 2);
    await next.shutdown();
    await using last = await PollerUnderTest.start(config(database), undefined, { storage: await files.open() });
    await shows(last, prices, 2);
    expect(files.lines).toEqual([]);
  });

  it('starts again when the table was rewritten, and continues when it was only compacted', async () => {
    await using poller = await start();
    await poller.hasBegunToCount();
    await database.sql(price(3));
    await shows(poller, prices, 3);
    await database.sql('vacuum full prices');
    await database.sql(price(1));
    await shows(poller, prices, 4);
    await database.sql(rewrite);
    await waitFor(
      async () => (await poller.own('rebaselines{query="scrape_pipeline.prices",reason="rewritten"}')) === 1,
      {
        what: 'the new beginning',
      },
    );
    await database.sql(price(2));
    await shows(poller, prices, 2);
    await database.sql('alter table prices alter column price type numeric');
  });

  describe('when others have written to the table before anybody looked again', () => {
    const rewritten = 'rebaselines{query="scrape_pipeline.prices",reason="rewritten"}';

    afterEach(async () => {
      await database.sql('alter table prices alter column price type numeric');
    });

    it('starts again after the table was rewritten', async () => {
      await using poller = await lookingAgainAfter(async () => await database.sql(rewrite));
      expect(await poller.own(rewritten)).toBe(1);
      await database.sql(price(2));
      await shows(poller, prices, 2);
    });

    it('starts again once all transactions older than the rewrite have ended', async () => {
      const older = await session();
      await using poller = await lookingAgainAfter(async () => {
        await older.query('begin; create table unrelated ()');
        await database.sql(rewrite);
      });
      const lastPoll = 'query_duration_seconds_count{query="scrape_pipeline.prices"}';
      const first = await poller.own(lastPoll);
      await waitFor(async () => (await poller.own(lastPoll)) !== first, { what: 'another poll' });
      expect(await poller.own(rewritten)).toBe(0);
      expect(poller.series.get(prices)).toBe(3);
      await older.query('rollback');
      await waitFor(async () => (await poller.own(rewritten)) === 1, { what: 'the new beginning' });
      await database.sql(price(2));
      await shows(poller, prices, 2);
    });

    it('continues after the table was emptied', async () => {
      await using poller = await lookingAgainAfter(async () => await database.sql('truncate prices'));
      await shows(poller, prices, 3 + 2);
      expect(await poller.own(rewritten)).toBe(0);
    });
  });

  it('keeps ten thousand values to the budget of a label, and adds up what is beyond', async () => {
    await using poller = await start();
    await poller.hasBegunToCount();
    await database.sql(`
      with roaster as (insert into roasters (name, slug, platform)
                       select 'n', 'r' || n, 'shopify' from generate_series(1, 10000) n returning id)
      insert into coffees (roaster_id, name, slug) select id, 'a', 'a' from roaster`);
    const created = (): [string, number | undefined][] =>
      [...poller.series].filter(([key]) => key.startsWith('coffees.created{'));
    const sum = (): number => created().reduce((total, [, value]) => total + (value ?? 0), 0);
    await waitFor(() => sum() === 10_000, { what: 'all of them' });
    expect(created().length).toBeLessThanOrEqual(101);
    const replaced = 'replaced_label_values{query="scrape_pipeline.coffees_created",label="roaster",reason="budget"}';
    expect(await poller.own(replaced)).toBe(10_000 - (await inBudget(database, created())));
  });

  it('retracts what it cannot know while a table is away, and leaves the other queries alone', async () => {
    await using poller = await start();
    await poller.hasBegunToCount();
    await database.sql(price(3));
    await shows(poller, prices, 3);
    await database.sql('alter table prices rename column is_sale to elsewhere');
    await waitFor(() => poller.series.get(prices) === undefined, { what: 'the retraction' });
    await database.sql(`insert into coffees (roaster_id, name, slug) select id, 'b', 'b' from roasters`);
    await shows(poller, `coffees.created{${blue}}`, 1);
    await database.sql('alter table prices rename column elsewhere to is_sale');
    await database.sql(price(1));
    await shows(poller, prices, 4);
  });
});

/** A storage in memory that outlives its pollers, and can be spoilt. */
class TestStorage extends MemoryStorage implements Component {
  isFull = false;
  readonly #inner = new MemoryStorage();

  override async space(owner: StorageOwner): Promise<StorageSpace> {
    const space = await this.#inner.space(owner);
    return {
      get: async (keys) => await space.get(keys),
      clear: async (prefix) => await space.clear(prefix),
      write: async (changes) => {
        if (this.isFull) throw new StorageError('full', 'no room');
        await space.write(changes);
      },
    };
  }

  /** True if the baseline of this query is stored. */
  async hasBegun(query: string): Promise<boolean> {
    const space = await this.#inner.space({ kind: 'receiver', id: 'db_poller' });
    return (await space.get([`state/scrape_pipeline.${query}`])).size > 0;
  }

  async change(key: string, how: (text: string) => string): Promise<void> {
    const space = await this.#inner.space({ kind: 'receiver', id: 'db_poller' });
    const text = Buffer.from((await space.get([key])).get(key)!).toString();
    await space.write(new Map([[key, Buffer.from(how(text))]]));
  }

  async start(): Promise<void> {
    return Promise.resolve();
  }

  async shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** The storage that siphon ships, in a directory of its own. One at a time. */
class TestFiles implements AsyncDisposable {
  /** The log of the open storage. */
  lines: readonly Record<string, unknown>[] = [];
  readonly #directory: string;
  #opened: Component | undefined;

  static async make(): Promise<TestFiles> {
    return new TestFiles(await mkdtemp(join(tmpdir(), 'siphon-exact-')));
  }

  private constructor(directory: string) {
    this.#directory = directory;
  }

  async open(): Promise<Component> {
    await this.#close();
    const { settings, lines } = componentSettings('extension', 'file_storage');
    this.#opened = fileStorageExtension.create(settings, v.parse(fileStorageConfig, { directory: this.#directory }));
    this.lines = lines;
    await this.#opened.start(hostWith());
    return this.#opened;
  }

  /** As a disk might. */
  async spoil(): Promise<void> {
    await this.#close();
    const [file = ''] = await readdir(this.#directory);
    await writeFile(join(this.#directory, file), 'no database at all'.repeat(1000));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #close(): Promise<void> {
    await this.#opened?.shutdown(AbortSignal.timeout(1000));
  }
}

/** With a checksum that fits again. */
function sealed(text: string): string {
  const json = text.slice(8);
  return `${crc32(json).toString(16).padStart(8, '0')}${json}`;
}

function config(database: TestPostgres): Record<string, unknown> {
  return { datasource: database.url, packs: { scrape_pipeline: {} }, storage: 'storage' };
}

/** How many of the new coffees are of roasters with a series of their own. */
async function inBudget(database: TestPostgres, created: readonly [string, number | undefined][]): Promise<number> {
  const own = created.filter(([key, value]) => value === 1 && !key.includes('roaster=other'));
  const [row] = await database.sql('select count(*)::int as coffees from coffees');
  expect(row).toEqual({ coffees: 10_001 });
  return own.length;
}

async function shows(poller: PollerUnderTest, series: string, value: number): Promise<void> {
  await waitFor(() => poller.series.get(series) === value, {
    what: `${series} to be ${value}, which is ${String(poller.series.get(series))}`,
  });
}

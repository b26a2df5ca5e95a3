import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../examples/postgres/embedded-postgres.ts';
import { registerSource } from '../../../examples/coffee/database/register-source.ts';
import { applySchema } from '../../../examples/coffee/database/schema.ts';
import { PooledDatabase } from '../../../examples/coffee/pipeline/database.ts';
import { ProductFetcher } from '../../../examples/coffee/pipeline/fetch-products.ts';
import { fullRun, type Workplace } from '../../../examples/coffee/pipeline/full-run.ts';
import { priceRun } from '../../../examples/coffee/pipeline/price-run.ts';
import { activeSources } from '../../../examples/coffee/pipeline/product-source.ts';
import { startStore, type StoreOptions } from '../../../examples/coffee/stores/store.ts';
import { runSql } from '../../support/postgres/test-postgres.ts';

let postgres: EmbeddedPostgres;
let artifactsFolder: string;

beforeAll(async () => {
  postgres = await startEmbeddedPostgres();
  await applySchema(postgres.url);
  artifactsFolder = await mkdtemp(join(tmpdir(), 'siphon-artifacts-'));
});

afterAll(async () => {
  await postgres.stop();
  await rm(artifactsFolder, { recursive: true, force: true });
});

beforeEach(async () => {
  await ask('truncate roasters cascade');
});

describe('the pipeline', () => {
  it('writes what the shop has, keeps the raw pages, and closes its run with the trace', async () => {
    await using scraper = await startScraper();
    expect(await scraper.full()).toMatchObject({ status: 'ok', errors: [] });
    expect(await counts()).toEqual({ runs: 1, artifacts: 2, coffees: 10, variants: 10, prices: 8, reviews: 2 });
    const [run] = await ask(`select status, finished_at >= started_at as closed, stats_json from scrape_runs`);
    expect(run).toMatchObject({
      status: 'ok',
      closed: true,
      stats_json: { job_type: 'full', artifacts: 2, prices: 8 },
    });
    const [artifact] = await ask(`select http_status, saved_html_path from scrape_artifacts`);
    expect(artifact!['http_status']).toBe(200);
    expect(existsSync(String(artifact!['saved_html_path']))).toBe(true);
  });

  it('records only changed prices in a price run, and none when the shop answers 304', async () => {
    await using scraper = await startScraper();
    await scraper.full();
    expect(await scraper.prices()).toMatchObject({ status: 'ok' });
    const after = (await counts()).prices;
    expect(after).toBeGreaterThan(8);
    expect(after).toBeLessThan(18);
    expect(await scraper.prices()).toMatchObject({ status: 'ok' });
    expect((await counts()).prices).toBe(after);
    expect(await latestStats()).toMatchObject({ fetched: 0, unchanged: 10, prices: 0 });
  });

  it.each(['full', 'prices'] as const)(
    'counts a 304 in a %s run as a look at the variants of the page',
    async (kind) => {
      await using scraper = await startScraper();
      await scraper.full();
      if (kind === 'prices') await scraper.prices();
      else await scraper.full();
      await ask(`update variants set price_last_checked_at = '2020-01-01', last_seen_at = '2020-01-01'`);
      await scraper[kind]();
      expect(await latestStats()).toMatchObject({ fetched: 0, unchanged: 10, stalled: 0 });
      const [row] = await ask(
        `select count(*)::int as looked_at from variants where least(price_last_checked_at, last_seen_at) > '2020-01-01'`,
      );
      expect(row).toEqual({ looked_at: 10 });
    },
  );

  it('waits as long as a 429 asks, and is then complete', async () => {
    await using scraper = await startScraper({ rateLimitedAt: 1 });
    const startedAt = performance.now();
    expect(await scraper.full()).toMatchObject({ status: 'ok' });
    expect(performance.now() - startedAt).toBeGreaterThan(950);
  });

  it('keeps what came before a page that fails, as a partial run', async () => {
    await using scraper = await startScraper({ brokenAt: 1 });
    const message = 'cannot fetch page 2 of babas-beans: 502';
    expect(await scraper.full()).toMatchObject({ status: 'partial', errors: [message] });
    expect(await counts()).toMatchObject({ coffees: 5, artifacts: 2 });
  });

  it('closes a run as failed when the shop is down', async () => {
    await using scraper = await startScraper();
    scraper.store.setFault('store_down', true);
    expect(await scraper.full()).toMatchObject({ status: 'fail' });
    expect(await ask(`select status from scrape_runs`)).toEqual([{ status: 'fail' }]);
    expect(await ask(`select http_status from scrape_artifacts`)).toEqual([{ http_status: null }]);
  });

  it('reports the job of a run that throws', async () => {
    await using scraper = await startScraper();
    await ask(`alter table coffees add constraint nothing_fits check (name = '') not valid`);
    try {
      expect(await scraper.full()).toMatchObject({ status: 'fail' });
      expect(await latestStats()).toMatchObject({
        job_type: 'full',
        error: expect.stringContaining('nothing_fits') as string,
      });
    } finally {
      await ask(`alter table coffees drop constraint nothing_fits`);
    }
  });

  it('leaves out what is invalid and keeps the rest', async () => {
    await using scraper = await startScraper();
    scraper.store.setFault('invalid_products', true);
    expect(await scraper.full()).toMatchObject({ status: 'ok' });
    const [run] = await ask(`select stats_json from scrape_runs`);
    expect(run!['stats_json']).toMatchObject({ fetched: 10, written: 8, invalid: 2 });
  });

  it.each(['full', 'prices'] as const)('sees a spike in a %s run', async (kind) => {
    await using scraper = await startScraper();
    await scraper.full();
    scraper.store.setFault('price_spike', true);
    await scraper[kind]();
    // The shop marks one of the eight prices as a sale.
    expect(await latestStats()).toMatchObject({ spikes: 7 });
  });

  it('fails while the database is stopped, and works again when it is back', async () => {
    await using scraper = await startScraper();
    await postgres.pause();
    expect(await scraper.full()).toMatchObject({ status: 'fail' });
    await postgres.resume();
    expect(await scraper.full()).toMatchObject({ status: 'ok' });
  });
});

async function startScraper(hiccups: Partial<StoreOptions> = {}) {
  const store = await startStore({ platform: 'woocommerce', seed: 'test', maxLatencyMs: 0, ...hiccups });
  const database = new PooledDatabase(postgres.url);
  const work: Workplace = { database, artifactsFolder, logger: pino({ level: 'silent' }) };
  const signal = new AbortController().signal;
  const [fullFetcher, priceFetcher] = [new ProductFetcher('A.2', signal), new ProductFetcher('B.1', signal)];
  const registration = { slug: 'babas-beans', name: 'Baba', platform: 'woocommerce', baseUrl: store.url } as const;
  await registerSource(postgres.url, { ...registration, productsEndpoint: '/wp-json/wc/store/v1/products' });
  const [source] = await activeSources(database);
  return {
    store,
    full: async () => await fullRun(work, fullFetcher, source!),
    prices: async () => await priceRun(work, priceFetcher, source!),
    [Symbol.asyncDispose]: async () => {
      await database.close();
      await store.stop();
    },
  };
}

type Count = 'runs' | 'artifacts' | 'coffees' | 'variants' | 'prices' | 'reviews';

async function counts(): Promise<Record<Count, number>> {
  const [row] = await ask(
    `select (select count(*)::int from scrape_runs) as runs, (select count(*)::int from scrape_artifacts) as artifacts,
            (select count(*)::int from coffees) as coffees, (select count(*)::int from variants) as variants,
            (select count(*)::int from prices) as prices,
            (select count(*)::int from coffees where processing_status = 'review') as reviews`,
  );
  return row as Record<Count, number>;
}

async function latestStats(): Promise<unknown> {
  const [run] = await ask(`select stats_json from scrape_runs order by started_at desc limit 1`);
  return run!['stats_json'];
}

async function ask(sql: string): Promise<Record<string, unknown>[]> {
  return await runSql(postgres.url, sql);
}

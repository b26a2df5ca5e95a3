/** The scraper. It is an ordinary service: siphon appears only in the calls of `siphon-otel/pipeline`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { observeProcess } from 'siphon-otel/pipeline';
import { PooledDatabase } from './database.ts';
import { ProductFetcher } from './fetch-products.ts';
import { fullRun, type Workplace } from './full-run.ts';
import { priceRun } from './price-run.ts';
import { activeSources, type ProductSource } from './product-source.ts';
import type { RunReport } from './run-report.ts';

const { values: flags } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    'full-every-s': { type: 'string', default: '20' },
    'prices-every-s': { type: 'string', default: '7' },
    'artifacts-folder': { type: 'string' },
  },
});
const databaseUrl = process.env['DATABASE_URL'];
const artifactsFolder = flags['artifacts-folder'];
if (databaseUrl === undefined || artifactsFolder === undefined) {
  throw new Error('the pipeline needs DATABASE_URL and --artifacts-folder');
}

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(signal, () => stop.abort());

const logger = pino({ name: 'coffee-pipeline' });
const database = new PooledDatabase(databaseUrl);
const work: Workplace = { database, artifactsFolder, logger };
const [fullFetcher, priceFetcher] = [new ProductFetcher('A.2', stop.signal), new ProductFetcher('B.1', stop.signal)];
observeProcess();

await (flags.once ? runOnce() : runOnSchedule());
await database.close();
if (process.connected) process.disconnect();

async function runOnce(): Promise<void> {
  await forEachSource(async (source) => await fullRun(work, fullFetcher, source));
  await forEachSource(async (source) => await priceRun(work, priceFetcher, source));
}

async function runOnSchedule(): Promise<void> {
  let fullDueAt = 0;
  const job = async (): Promise<void> => {
    if (performance.now() < fullDueAt)
      return await forEachSource(async (source) => await priceRun(work, priceFetcher, source));
    fullDueAt = performance.now() + Number(flags['full-every-s']) * 1000;
    await forEachSource(async (source) => await fullRun(work, fullFetcher, source));
  };
  await repeat(job, Number(flags['prices-every-s']) * 1000, stop.signal);
}

/** Runs all sources in parallel. */
async function forEachSource(run: (source: ProductSource) => Promise<RunReport>): Promise<void> {
  try {
    const sources = await activeSources(database);
    await Promise.all(sources.map(async (source) => report(await run(source))));
  } catch (error) {
    logger.error({ err: error }, 'Cannot read the product sources');
  }
}

function report(run: RunReport): void {
  if (process.connected) process.send?.(run);
}

/** Runs `job` every `intervalMs`, measured from start to start and without overlap, until the signal. */
async function repeat(job: () => Promise<void>, intervalMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const startedAt = performance.now();
    await job();
    await pause(Math.max(0, intervalMs - (performance.now() - startedAt)), signal);
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

import { recordPriceJob, runOperation } from 'siphon-otel/pipeline';
import type { Logger } from 'pino';
import type { PooledDatabase } from './database.ts';
import type { ProductFetcher } from './fetch-products.ts';
import { monitorPrices } from './monitor-prices.ts';
import type { ProductSource } from './product-source.ts';
import { errorTypeOf, messageOf, type RunReport } from './run-report.ts';
import { storeArtifacts } from './store-artifacts.ts';
import { knownVariants, validateProducts } from './validate-products.ts';
import { writeProducts } from './write-products.ts';

export interface Workplace {
  readonly database: PooledDatabase;
  readonly artifactsFolder: string;
  readonly logger: Logger;
}

/** A.1: one full scrape of one source, from the start to the end of its row in `scrape_runs`. */
export async function fullRun(work: Workplace, fetcher: ProductFetcher, source: ProductSource): Promise<RunReport> {
  const { database, logger } = work;
  const startedAt = performance.now();
  const labels = { roaster: source.slug, job_type: 'full' } as const;
  let traceId: string | undefined;
  try {
    const report = await runOperation('A.1', { source: source.slug }, async (span) => {
      ({ traceId } = span.spanContext());
      const runId = await database.rpc<string>('rpc_scrape_run_start', { source_id: source.id });
      const about = { job_type: 'full', trace_id: traceId };
      const scraping = async () => await scrape(work, fetcher, source, runId);
      const { error, ...stats } = await closeOnFailure(work, runId, about, scraping);
      const status = statusOf(error, stats.fetched + stats.unchanged);
      await finishRun(database, runId, status, { ...about, ...stats });
      return {
        jobType: 'full',
        source: source.slug,
        status,
        traceId,
        errors: error === undefined ? [] : [error.message],
      } as const;
    });
    const seconds = (performance.now() - startedAt) / 1000;
    recordPriceJob(labels, seconds, report.status === 'ok' ? undefined : 'fetch');
    logger.info({ source: source.slug, status: report.status, seconds }, 'Full run finished');
    return report;
  } catch (error) {
    fetcher.forget(source);
    recordPriceJob(labels, (performance.now() - startedAt) / 1000, errorTypeOf(error));
    logger.error({ source: source.slug, err: error }, 'Full run failed');
    return { jobType: 'full', source: source.slug, status: 'fail', traceId, errors: [messageOf(error)] };
  }
}

export async function finishRun(
  database: PooledDatabase,
  runId: string,
  status: RunReport['status'],
  stats: Readonly<Record<string, unknown>>,
): Promise<void> {
  await database.rpc('rpc_scrape_run_finish', { run_id: runId, stats: JSON.stringify(stats), status });
}

/** A run with an error is partial when it has fetched products, and failed otherwise. */
export function statusOf(error: Error | undefined, learnedCount: number): RunReport['status'] {
  if (error === undefined) return 'ok';
  return learnedCount > 0 ? 'partial' : 'fail';
}

/** Closes a run that throws as failed. Without a database connection, the run stays open. */
export async function closeOnFailure<T>(
  { database, logger }: Workplace,
  runId: string,
  about: Readonly<Record<string, string>>,
  body: () => Promise<T>,
): Promise<T> {
  try {
    return await body();
  } catch (error) {
    await finishRun(database, runId, 'fail', { ...about, error: messageOf(error) }).catch((cause: unknown) => {
      logger.warn({ err: cause }, 'Cannot close the failed run; it stays open');
    });
    throw error;
  }
}

async function scrape(work: Workplace, fetcher: ProductFetcher, source: ProductSource, runId: string) {
  const { database, artifactsFolder } = work;
  const { pages, products: fetched, unchanged, error } = await fetcher.fetch(source);
  if (error !== undefined) work.logger.warn({ source: source.slug, err: error }, 'The fetch is incomplete');
  const artifacts = await storeArtifacts({ database, folder: artifactsFolder }, source, runId, pages);
  const { products, invalidCount } = await validateProducts(source, fetched);
  const prices = await writeProducts(database, source, { products, unchanged: knownVariants(source, unchanged) });
  const { spikes, stalledCount } = await monitorPrices(work, source, prices);
  return {
    error,
    fetched: fetched.length,
    unchanged: unchanged.length,
    artifacts,
    written: products.length,
    invalid: invalidCount,
    prices: prices.length,
    spikes: spikes.length,
    stalled: stalledCount,
  };
}

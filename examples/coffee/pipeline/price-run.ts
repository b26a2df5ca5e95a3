import { SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import { recordPriceJob } from 'siphon-otel/pipeline';
import type { ProductFetcher } from './fetch-products.ts';
import { closeOnFailure, finishRun, statusOf, type Workplace } from './full-run.ts';
import { monitorPrices } from './monitor-prices.ts';
import type { ProductSource } from './product-source.ts';
import { errorTypeOf, messageOf, type RunReport } from './run-report.ts';
import { updatePrices } from './update-prices.ts';
import { checkProducts, knownVariants } from './validate-products.ts';

/** Runs B.1, B.2 and B.3 under one span: prices and stock of known variants. */
export async function priceRun(work: Workplace, fetcher: ProductFetcher, source: ProductSource): Promise<RunReport> {
  const startedAt = performance.now();
  const labels = { roaster: source.slug, job_type: 'price_only' } as const;
  return await trace.getTracer('coffee-pipeline').startActiveSpan('price run', async (span): Promise<RunReport> => {
    const { traceId } = span.spanContext();
    const report = { jobType: 'price_only', source: source.slug, traceId } as const;
    try {
      const error = await checkPrices(work, fetcher, source, traceId);
      const seconds = (performance.now() - startedAt) / 1000;
      recordPriceJob(labels, seconds, error === undefined ? undefined : 'fetch');
      work.logger.info({ source: source.slug, complete: error === undefined, seconds }, 'Price run finished');
      return {
        ...report,
        status: statusOf(error?.cause, error?.learned ?? 0),
        errors: error === undefined ? [] : [error.cause.message],
      };
    } catch (error) {
      fail(span, error);
      fetcher.forget(source);
      recordPriceJob(labels, (performance.now() - startedAt) / 1000, errorTypeOf(error));
      work.logger.error({ source: source.slug, err: error }, 'Price run failed');
      return { ...report, status: 'fail', errors: [messageOf(error)] };
    } finally {
      span.end();
    }
  });
}

interface Incomplete {
  readonly cause: Error;
  readonly learned: number;
}

/** Records errors that happen between the operations, which have no span of their own. */
function fail(span: Span, error: unknown): void {
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
}

async function checkPrices(
  work: Workplace,
  fetcher: ProductFetcher,
  source: ProductSource,
  traceId: string,
): Promise<Incomplete | undefined> {
  const runId = await work.database.rpc<string>('rpc_scrape_run_start', { source_id: source.id });
  const about = { job_type: 'price_only', trace_id: traceId };
  return await closeOnFailure(work, runId, about, async () => {
    const { products: fetched, unchanged, error } = await fetcher.fetch(source);
    const learned = fetched.length + unchanged.length;
    if (error !== undefined) work.logger.warn({ source: source.slug, err: error }, 'The fetch is incomplete');
    const variants = checkProducts(source, fetched).products.flatMap((product) => product.variants);
    const recorded = await updatePrices(work.database, source, [...variants, ...knownVariants(source, unchanged)]);
    const { spikes, stalledCount } = await monitorPrices(work, source, recorded);
    await finishRun(work.database, runId, statusOf(error, learned), {
      ...about,
      fetched: fetched.length,
      unchanged: unchanged.length,
      prices: recorded.length,
      spikes: spikes.length,
      stalled: stalledCount,
    });
    return error === undefined ? undefined : { cause: error, learned };
  });
}

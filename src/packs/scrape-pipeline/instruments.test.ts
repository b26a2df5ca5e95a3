import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  recordDatabaseQuery,
  recordFetch,
  recordPriceChange,
  recordValidation,
  runOperation,
  withBackoff,
} from './instruments.ts';

let exporter: InMemoryMetricExporter;
let provider: MeterProvider;

beforeEach(() => {
  exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  provider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  });
  metrics.setGlobalMeterProvider(provider);
});
afterEach(async () => {
  metrics.disable();
  await provider.shutdown();
});

/** Attributes and values of a metric, in the order of recording. */
async function points(name: string) {
  await provider.forceFlush();
  const all =
    exporter
      .getMetrics()
      .at(-1)
      ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
  return all.find(({ descriptor }) => descriptor.name === name)?.dataPoints.map((p) => [p.attributes, p.value]) ?? [];
}

const fetchLabels = { source: 'a', platform: 'shopify' } as const;

describe('the pipeline’s instruments', () => {
  it('counts a failed fetch by its status, and takes no latency where no answer came', async () => {
    recordFetch(fetchLabels, 0.1, 304);
    recordFetch(fetchLabels, 0.1, 429);
    recordFetch(fetchLabels, 9, 'timeout');
    expect(await points('fetch.errors')).toEqual([
      [{ ...fetchLabels, error_type: 'rate_limited' }, 1],
      [{ ...fetchLabels, error_type: 'timeout' }, 1],
    ]);
    expect(await points('fetch.latency')).toMatchObject([[fetchLabels, { count: 2 }]]);
  });

  it('counts the changes of prices', async () => {
    for (const currency of ['INR', 'EUR', 'INR']) recordPriceChange({ roaster: 'r', currency });
    expect(await points('price.changes')).toEqual([
      [{ roaster: 'r', currency: 'INR' }, 2],
      [{ roaster: 'r', currency: 'EUR' }, 1],
    ]);
  });

  it('records the products of the last validation only', async () => {
    recordValidation(fetchLabels, { valid: 9, invalid: 1 });
    recordValidation(fetchLabels, { valid: 7, invalid: 2 });
    expect(await points('validation.products')).toEqual([
      [{ ...fetchLabels, outcome: 'valid' }, 7],
      [{ ...fetchLabels, outcome: 'invalid' }, 2],
    ]);
  });

  it('folds the values beyond a label’s budget into `other`', async () => {
    for (let table = 0; table < 35; table++)
      recordDatabaseQuery({ query_type: 'select', table: `t${table}`, success: true });
    const seen = await points('database.queries');
    expect(seen).toHaveLength(31);
    expect(seen.at(-1)).toEqual([{ query_type: 'select', table: 'other', success: 'true' }, 5]);
  });

  it('records how an operation ended and throws its error on', async () => {
    const error = new Error('no');
    await expect(runOperation('A.3', { source: 'a' }, () => Promise.reject(error))).rejects.toBe(error);
    expect(await points('pipeline.operation.duration')).toMatchObject([
      [{ operation: 'A.3', outcome: 'error' }, { count: 1 }],
    ]);
  });

  it('tries again after 429, counts each, and returns the last answer when it gives up', async () => {
    const options = { service: 's', retries: 2, minDelayMs: 1 } as const;
    const answer = await withBackoff(options, () => Promise.resolve(new Response('', { status: 429 })));
    expect(answer.status).toBe(429);
    expect(await points('rate_limit.errors')).toEqual([[{ service: 's' }, 3]]);
  });

  it('throws any other error immediately', async () => {
    let attempts = 0;
    const failing = withBackoff({ service: 's' }, () => Promise.reject(new Error(`${++attempts}`)));
    await expect(failing).rejects.toThrow('1');
  });

  it('does not compile with a wrong label', () => {
    // @ts-expect-error -- `ebay` is not a platform
    recordFetch({ source: 'a', platform: 'ebay' }, 1, 200);
    // @ts-expect-error -- a fetch is of a source
    recordFetch({ roaster: 'a', platform: 'shopify' }, 1, 200);
  });
});

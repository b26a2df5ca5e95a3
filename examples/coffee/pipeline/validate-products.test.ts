import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
} from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it } from 'vitest';
import { checkProducts, knownVariants } from './validate-products.ts';

const source = {
  id: '1',
  roasterId: '1',
  slug: 'roaster',
  platform: 'shopify',
  productsUrl: 'http://store/products.json',
  alertPriceDeltaPercent: 10,
} as const;
const variant = { id: 1, price: '10.00', available: true };
const product = { title: 'Attikan', handle: 'attikan', product_type: 'Coffee', variants: [variant] };

afterEach(() => metrics.disable());

describe('the check of fetched products', () => {
  it.each([
    ['nothing is wrong', product, {}, 1],
    [
      'two variants without a price',
      { ...product, variants: [variant, { ...variant, price: '' }, { ...variant, price: '0' }] },
      { invalid_price: 1 },
      1,
    ],
    ['no title', { ...product, title: null }, { missing_field: 1 }, 0],
    ['a number for a title', { ...product, title: 7 }, { malformed: 1 }, 0],
    ['no variants', { ...product, variants: [] }, { no_variants: 1 }, 0],
  ])('counts each problem once a product: %s', async (_, raw, counted, kept) => {
    const read = recorded('validation.errors', 'reason');
    expect(checkProducts(source, [raw]).products).toHaveLength(kept);
    expect(await read()).toEqual(counted);
  });

  it('records how many products have a problem, however many problems they have', async () => {
    const read = recorded('validation.products', 'outcome');
    const priceless = { ...product, variants: [variant, { ...variant, price: '' }, { ...variant, price: '0' }] };
    checkProducts(source, [product, priceless, { ...product, title: null }]);
    checkProducts(source, []);
    expect(await read()).toEqual({ valid: 1, invalid: 2 });
  });

  it('does not count again what was checked before', async () => {
    const read = recorded('validation.errors', 'reason');
    expect(knownVariants(source, [{ ...product, variants: [variant, { ...variant, price: '' }] }])).toHaveLength(2);
    expect(await read()).toEqual({});
  });
});

/** The values of a metric, by a label. */
function recorded(name: string, label: string): () => Promise<Record<string, unknown>> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  return async () => {
    await provider.forceFlush();
    const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    const points = scopes.flatMap((scope) =>
      scope.metrics
        .filter(({ descriptor }) => descriptor.name === name)
        .flatMap(({ dataPoints }) => dataPoints as DataPoint<number>[]),
    );
    await provider.shutdown();
    return Object.fromEntries(points.map(({ attributes, value }) => [attributes[label], value]));
  };
}

import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, expect, it } from 'vitest';
import type { Metric } from '../metrics/metric.ts';
import { createRunOperation, instruments } from './instruments.ts';

const shopMetrics = {
  orders_total: {
    source: 'sdk',
    kind: 'counter',
    name: 'orders',
    unit: '{order}',
    description: 'Orders',
    labels: { channel: ['web', 'phone'] },
  },
  cart_items: {
    source: 'sdk',
    kind: 'gauge',
    name: 'cart.items',
    unit: '{item}',
    description: 'Items in carts',
    labels: {},
  },
  operation_duration_seconds: {
    source: 'sdk',
    kind: 'histogram',
    name: 'operation.duration',
    unit: 's',
    description: 'Duration of operations',
    labels: { operation: ['checkout', 'refund'], outcome: ['ok', 'error'] },
    buckets: [1],
  },
  open_orders: {
    source: 'poller',
    kind: 'gauge',
    name: 'open.orders',
    unit: '{order}',
    description: 'Open orders in the database',
    labels: {},
  },
} as const satisfies Record<string, Metric>;

const record = instruments(shopMetrics);
const runOperation = createRunOperation({
  namespace: 'shop',
  operations: { checkout: { name: 'check out' }, refund: { name: 'refund' } },
  duration: shopMetrics.operation_duration_seconds,
});

/** Registers an SDK and returns its last export by name: attributes and values. */
function register() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  return async (): Promise<Record<string, unknown>> => {
    await provider.shutdown();
    const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    return Object.fromEntries(
      scopes
        .flatMap((scope) => scope.metrics)
        .map(({ descriptor, dataPoints }) => [
          descriptor.name,
          dataPoints.map(({ attributes, value }) => [attributes, value]),
        ]),
    );
  };
}

afterEach(() => metrics.disable());

it('records nothing without an SDK, and to each SDK that is registered later', async () => {
  record.orders_total({ channel: 'web' });
  for (const _ of ['first', 'second']) {
    const exported = register();
    record.orders_total({ channel: 'web' });
    record.orders_total({ channel: 'phone' }, 3);
    record.cart_items({}, -2);
    expect(await exported()).toEqual({
      orders: [
        [{ channel: 'web' }, 1],
        [{ channel: 'phone' }, 3],
      ],
      'cart.items': [[{}, -2]],
    });
    metrics.disable();
  }
});

it('skips values that the metric cannot have', async () => {
  const exported = register();
  record.orders_total({ channel: 'web' }, -1);
  record.cart_items({}, NaN);
  record.operation_duration_seconds({ operation: 'refund', outcome: 'ok' }, -1);
  expect(await exported()).toEqual({});
});

it('runs the operations of any pack', async () => {
  const exported = register();
  expect(await runOperation('checkout', { customer: 'a' }, () => Promise.resolve(7))).toBe(7);
  const labels = { operation: 'checkout', outcome: 'ok' };
  expect(await exported()).toMatchObject({ 'operation.duration': [[labels, { count: 1 }]] });
});

it('does not compile with a wrong name, label or value', async () => {
  // @ts-expect-error -- not a metric of the shop
  expect(record.orders).toBeUndefined();
  // @ts-expect-error -- the poller reads it from the database
  expect(record.open_orders).toBeUndefined();
  // @ts-expect-error -- `fax` is not a channel
  record.orders_total({ channel: 'fax' });
  // @ts-expect-error -- the channel is missing
  record.orders_total({});
  // @ts-expect-error -- a duration needs a value
  record.operation_duration_seconds({ operation: 'refund', outcome: 'ok' });
  // @ts-expect-error -- not an operation of the shop
  await expect(runOperation('ship', {}, () => Promise.resolve())).rejects.toThrow(TypeError);
});

import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, expect, it, vi } from 'vitest';
import { componentKinds } from '../../engine/component.ts';
import { Instruments } from '../../metrics/instruments.ts';
import { QueryMetrics } from './query-metrics.ts';

afterEach(() => vi.useRealTimers());

it.each([3600, -3600])(
  'shows the age of an answer when the clock of the machine is changed by %i s',
  async (seconds) => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const provider = new MeterProvider({ readers: [reader] });
    const metrics = new QueryMetrics(new Instruments(provider.getMeter('test'), componentKinds), 'siphon_db_poller');
    metrics.declare('orders', 15_000);
    metrics.answered('orders');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
    await provider.forceFlush();
    const shown = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    const ages = shown.filter(({ descriptor }) => descriptor.name === 'siphon_db_poller_success_age_seconds');
    const [age] = ages.flatMap(({ dataPoints }) => dataPoints.map(({ value }) => Number(value)));
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThan(60);
    await provider.shutdown();
  },
);

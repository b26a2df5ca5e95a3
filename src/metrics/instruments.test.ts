import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, expect, it } from 'vitest';
import { Instruments } from './instruments.ts';
import type { Metric } from './metric.ts';

const metrics = {
  sent: {
    source: 'sidecar',
    kind: 'counter',
    name: 'sent',
    unit: '{item}',
    description: 'Items sent',
    labels: { exporter: { maxValues: 10, description: 'id' }, category: ['span', 'error'] },
    startsAtZero: { category: ['span', 'error'] },
  },
  lost: {
    source: 'sidecar',
    kind: 'counter',
    name: 'lost',
    unit: '{item}',
    description: 'Items lost',
    labels: { query: { maxValues: 1, description: 'name', fromConfiguration: true }, reason: ['timeout', 'gone'] },
    startsAtZero: { reason: ['timeout'] },
  },
  rows: {
    source: 'sidecar',
    kind: 'gauge',
    name: 'rows',
    unit: '{row}',
    description: 'Rows',
    labels: { table: { maxValues: 2, description: 'name' } },
  },
  duration: {
    source: 'sidecar',
    kind: 'histogram',
    name: 'duration',
    unit: 's',
    description: 'Duration',
    labels: {},
    buckets: [1, 2],
  },
} as const satisfies Record<string, Metric>;

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
const provider = new MeterProvider({ readers: [reader] });
const instruments = new Instruments(provider.getMeter('test'), ['exporter']);
afterEach(() => exporter.reset());

async function metricNamed(name: string) {
  await provider.forceFlush();
  const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  return all.find(({ descriptor }) => descriptor.name === name);
}

async function pointsOf(name: string) {
  return (await metricNamed(name))?.dataPoints.map(({ attributes, value }) => [attributes, value]);
}

it('starts a counter at zero as soon as the description defines all its series', async () => {
  instruments.counter(metrics.sent).add(2, { category: 'error' });
  expect(await pointsOf('sent')).toEqual([
    [{ category: 'span' }, 0],
    [{ category: 'error' }, 2],
  ]);
});

it('starts the other counters at zero when the component adds the missing labels', async () => {
  const lost = instruments.counter(metrics.lost);
  expect(await pointsOf('lost')).toBeUndefined();
  lost.startAtZero({ query: 'a' });
  lost.startAtZero({ query: 'b' });
  lost.add(1, { query: 'b', reason: 'gone' });
  expect(await pointsOf('lost')).toEqual([
    [{ query: 'a', reason: 'timeout' }, 0],
    [{ query: 'b', reason: 'timeout' }, 0],
    [{ query: 'b', reason: 'gone' }, 1],
  ]);
});

it('keeps only the labels of the description, and no more values than they allow', async () => {
  const rows = instruments.gauge(metrics.rows);
  for (const table of ['a', 'b', 'c', 'd']) {
    const labels = { table, secret: 'x' };
    rows.record(1, labels);
  }
  expect(await pointsOf('rows')).toEqual([
    [{ table: 'a' }, 1],
    [{ table: 'b' }, 1],
    [{ table: 'other' }, 1],
  ]);
});

it('creates the instrument with the unit, description and buckets of the description', async () => {
  instruments.histogram(metrics.duration).record(1.5);
  expect(await metricNamed('duration')).toMatchObject({
    descriptor: { unit: 's', description: 'Duration' },
    dataPoints: [{ value: { buckets: { boundaries: [1, 2], counts: [0, 1, 0] } } }],
  });
});

it('reads observed values when metrics are collected', async () => {
  let value = 1;
  instruments.observe({ ...metrics.rows, name: 'observed' }, (observe) => observe(value, { table: 'a' }));
  value = 2;
  expect(await pointsOf('observed')).toEqual([[{ table: 'a' }, 2]]);
});

it('does not compile with a wrong label or value', () => {
  const lost = instruments.counter(metrics.lost);
  // @ts-expect-error -- `late` is not a reason
  lost.add(0, { query: 'a', reason: 'late' });
  // @ts-expect-error -- the query is missing
  lost.add(0, { reason: 'gone' });
  // @ts-expect-error -- the query is missing
  lost.startAtZero({});
  // @ts-expect-error -- the id of the exporter is added elsewhere
  instruments.counter(metrics.sent).add(0, { exporter: 'a', category: 'span' });
  // @ts-expect-error -- a gauge is not a counter
  instruments.counter(metrics.rows);
});

it('is the only way to an instrument: the lint rejects a meter in a component', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'siphon-lint-'));
  const root = path.join(import.meta.dirname, '../..');
  const lint = (file: string): string => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(
      path.join(folder, file),
      "export const made = (meter: Meter): Counter => meter.createCounter('a');\n",
    );
    return spawnSync(path.join(root, 'node_modules/.bin/oxlint'), [file], { cwd: folder }).stdout.toString();
  };
  try {
    copyFileSync(path.join(root, '.oxlintrc.json'), path.join(folder, '.oxlintrc.json'));
    expect(lint('src/components/processors/filter/processor.ts')).toContain('no-restricted-properties');
    expect(lint('src/metrics/instruments.ts')).not.toContain('no-restricted-properties');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

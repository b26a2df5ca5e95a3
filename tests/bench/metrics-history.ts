/**
 * `npm run bench:history`: memory and CPU of the `metrics_history` extension, fed by a `prometheus` exporter in this
 * process. Five kinds of series have equal parts: idle counters, busy counters, measured gauges, sums of seconds and
 * buckets of a histogram. All but the idle ones change before each moment, more often than services send.
 *
 *     node --expose-gc tests/bench/metrics-history.ts [series] [minutes]
 */
import * as v from 'valibot';
import { History } from '../../src/components/extensions/metrics-history/store/history.ts';
import { prometheusExporterConfig } from '../../src/components/exporters/prometheus/config.ts';
import { prometheusExporter } from '../../src/components/exporters/prometheus/factory.ts';
import type { MetricHistory, SampleSource } from '../../src/engine/metric-history.ts';
import { encodeMetricsRequest, type MetricData, type NumberPoint } from '../../src/engine/otlp/metrics-writer.ts';
import { atOnce } from '../../src/engine/time-slice.ts';
import { evaluateOver } from '../../src/promql/evaluate.ts';
import { toBatch } from '../support/components/batches.ts';
import { componentSettings } from '../support/components/component-settings.ts';
import { hostWith } from '../support/components/host-with.ts';
import { Random } from '../support/promql/random.ts';

const INTERVAL_MS = 5000;
const KINDS = 5;
/** With +Inf, sum and count, a histogram has as many series as one kind has of each ten. */
const BOUNDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const PER_HISTOGRAM = BOUNDS.length + 3;
const MIB = 1024 ** 2;

const wanted = Number(process.argv[2] ?? 5000);
const minutes = Number(process.argv[3] ?? 60);
const perKind = wanted / KINDS;
const random = new Random(1);

let source: SampleSource | undefined;
const follower: MetricHistory = {
  follow: (one) => {
    source = one;
    return { [Symbol.dispose]: () => undefined };
  },
};
const { settings } = componentSettings('exporter', 'prometheus', 'metrics');
const exporter = prometheusExporter.create(
  settings,
  v.parse(prometheusExporterConfig, { endpoint: '127.0.0.1:0', history: 'metrics_history', without_scope_info: true }),
);
await exporter.start(hostWith({ metrics_history: follower }));

const counters = new Float64Array(perKind);
const seconds = new Float64Array(perKind);
const buckets = Array.from({ length: perKind / PER_HISTOGRAM }, () => new Float64Array(BOUNDS.length + 1));

await exporter.consume(toBatch('metrics', request(0), wanted));
globalThis.gc?.();
const before = usedBytes();
const history = new History({ retentionMs: minutes * 60_000, maxBytes: 1024 * MIB });
let cpuUs = 0;
let longestMs = 0;
const moments = (minutes * 60_000) / INTERVAL_MS;
const startMs = 1_800_000_000_000;
for (let moment = 0; moment < moments; moment++) {
  await exporter.consume(toBatch('metrics', request(moment), wanted));
  const startUs = process.cpuUsage();
  const start = performance.now();
  await history.record(startMs + moment * INTERVAL_MS, async (sink) => await source?.sample(sink));
  longestMs = Math.max(longestMs, performance.now() - start);
  const { user, system } = process.cpuUsage(startUs);
  cpuUs += user + system;
}
globalThis.gc?.();
const held = usedBytes() - before;
const samples = history.series * moments;
print('series', history.series);
print('history, MiB as it counts', history.sizeBytes / MIB);
print('history, MiB as the process counts', held / MIB);
print('bytes a sample', history.sizeBytes / samples);
print('CPU of a core, %', (cpuUs / 1000 / (moments * INTERVAL_MS)) * 100);
print('CPU a sample, ns', (cpuUs * 1000) / samples);
print('longest moment, in slices, ms', longestMs);

const query = {
  lookbackMs: 300_000,
  subqueryStepMs: 60_000,
  maxSamples: 1e9,
  maxSeries: 1e6,
  timeoutMs: 60_000,
};
const endMs = startMs + (moments - 1) * INTERVAL_MS;
for (const expression of ['rate(busy_total{a=~"1."}[1m])', 'sum(rate(busy_total[1m]))', 'sum(rate(busy_total[1m]))']) {
  const startUs = process.cpuUsage();
  atOnce(evaluateOver(expression, { startMs: endMs - 900_000, endMs, stepMs: 15_000 }, history, query));
  const { user, system } = process.cpuUsage(startUs);
  print(`15 minutes of ${expression}, ms of CPU`, (user + system) / 1000);
}
await exporter.shutdown(AbortSignal.timeout(1000));

function request(moment: number): Uint8Array {
  const sum = { kind: 'sum', unit: '', description: '', monotonic: true, temporality: 'cumulative' } as const;
  const metrics: MetricData[] = [
    { ...sum, name: 'idle', points: pointsOf(perKind, (index) => index) },
    { ...sum, name: 'busy', points: pointsOf(perKind, (index) => (counters[index]! += Math.floor(random.below(50)))) },
    { ...sum, name: 'spent', unit: 's', points: pointsOf(perKind, (index) => (seconds[index]! += random.below(3))) },
    { kind: 'gauge', name: 'level', unit: '', description: '', points: pointsOf(perKind, () => random.below(100)) },
    {
      kind: 'histogram',
      name: 'latency',
      unit: 's',
      description: '',
      bounds: BOUNDS,
      points: buckets.map((counts, index) => {
        const changed = Math.floor(random.below(counts.length));
        counts[changed] = counts[changed]! + Math.floor(random.below(5));
        const count = counts.reduce((total, one) => total + one, 0);
        return { attributes: { a: String(index) }, value: { count, sum: count * 0.3, bucketCounts: [...counts] } };
      }),
    },
  ];
  const resource = { 'service.name': 'shop', 'service.instance.id': 'a' };
  return encodeMetricsRequest({
    resource,
    scope: { name: 'bench', version: '1' },
    timeUnixMs: moment * INTERVAL_MS,
    metrics,
  });
}

function usedBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function print(what: string, value: number): void {
  process.stdout.write(`${what}: ${value.toFixed(value < 1 ? 4 : 1)}\n`);
}

function pointsOf(count: number, value: (index: number) => number): NumberPoint[] {
  return Array.from({ length: count }, (_, index) => ({ attributes: { a: String(index) }, value: value(index) }));
}

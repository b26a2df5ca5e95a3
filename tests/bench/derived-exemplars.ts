/**
 * `npm run bench:derived-exemplars`: what the `exemplars` processor costs for each span and for each point that gets no
 * exemplar. Nothing follows it in its pipelines. A span includes its part of the decision about the buckets.
 */
import * as v from 'valibot';
import type { TelemetryBatch } from '../../src/engine/component.ts';
import { encodeMetricsRequest, type HistogramPoint } from '../../src/engine/otlp/metrics-writer.ts';
import { exemplarsConfig } from '../../src/components/processors/exemplars/config.ts';
import { exemplarsProcessor } from '../../src/components/processors/exemplars/factory.ts';
import { toBatch } from '../support/components/batches.ts';
import { componentSettings } from '../support/components/component-settings.ts';
import { batchOfSpans, spanId, type SpanDraft } from '../support/otlp/otlp-spans.ts';
import { median } from './median.ts';

const LIMITS_US = { span: 0.3, point: 0.1 };
const ROUNDS = 60;
const BATCHES_A_ROUND = 5;
const SPANS_A_BATCH = 500;
const EXPORTS_A_ROUND = 10;
const INTERVAL_MS = 10_000;
const ROUTES = 20;
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** A service sends two metrics with rules and these without, all with as many series. */
const OTHER_METRICS = 8;

const SERVER = {
  'http.request.method': 'GET',
  'url.scheme': 'http',
  'url.path': '/products/1',
  'server.address': 'shop',
  'server.port': 8080,
  'network.protocol.version': '1.1',
  'user_agent.original': 'Mozilla/5.0 (X11; Linux x86_64)',
  'http.response.status_code': 200,
};
const DATABASE = {
  'db.system.name': 'postgresql',
  'db.namespace': 'coffee',
  'db.query.text': 'select * from products where id = $1',
  'db.operation.name': 'SELECT',
  'server.address': 'database',
};

const costs = { span: [] as number[], point: [] as number[] };
const [bare, observed] = [createPipelines(), createPipelines()];
let lastSpan = 0;
// All of them are made first: otherwise the garbage of their making would count.
const rounds = Array.from({ length: ROUNDS }, (_, round) => {
  const fromMs = Date.now() - (ROUNDS - round + 1) * INTERVAL_MS;
  const exports = Array.from({ length: EXPORTS_A_ROUND }, (_unused, i) =>
    pointsAt(round, fromMs + (i * INTERVAL_MS) / EXPORTS_A_ROUND),
  );
  return { exports, spans: Array.from({ length: BATCHES_A_ROUND }, () => spansAt(fromMs)) };
});
for (const { exports, spans } of rounds) {
  const [points] = exports as [TelemetryBatch];
  const alone = (await cpuUs(exports, bare.metrics)) / EXPORTS_A_ROUND;
  const together = (await cpuUs([points], observed.metrics)) + (await cpuUs(spans, observed.traces));
  costs.point.push(alone / points.itemCount);
  costs.span.push((together - alone) / (BATCHES_A_ROUND * SPANS_A_BATCH));
}

let isAboveLimit = false;
for (const kind of ['span', 'point'] as const) {
  const us = median(costs[kind].slice(ROUNDS / 3));
  isAboveLimit ||= us > LIMITS_US[kind];
  process.stdout.write(`${us.toFixed(3)} µs for a ${kind}, limit ${LIMITS_US[kind]} µs\n`);
}
process.exit(isAboveLimit ? 1 : 0);

function createPipelines() {
  const { settings } = componentSettings('processor', 'exemplars');
  const config = v.parse(exemplarsConfig, {});
  const next = { consume: async () => undefined };
  const shared = exemplarsProcessor.share?.(settings, config);
  const create = () => exemplarsProcessor.create(settings, config, next, shared);
  return { traces: create(), metrics: create() };
}

async function cpuUs(
  batches: readonly TelemetryBatch[],
  pipeline: { consume(batch: TelemetryBatch): Promise<unknown> },
): Promise<number> {
  const before = process.cpuUsage();
  for (const batch of batches) await pipeline.consume(batch);
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** One of six spans is a request, three are statements and two are internal. */
function spansAt(fromMs: number): TelemetryBatch {
  return batchOfSpans(
    Array.from({ length: SPANS_A_BATCH }, (_, i): SpanDraft => {
      const id = spanId(++lastSpan);
      const times = {
        startTimeUnixNano: BigInt(Math.round(fromMs + (i / SPANS_A_BATCH) * INTERVAL_MS)) * 1_000_000n,
        durationNano: BigInt(1_000_000 * (1 + ((i * 37) % 900))),
      };
      const span = { spanId: id, traceId: id + id, ...times };
      if (i % 6 === 0)
        return { ...span, kind: 'server', attributes: { ...SERVER, 'http.route': `/products/${i % ROUTES}` } };
      if (i % 2 === 0) return { ...span, attributes: { 'code.function.name': 'render' } };
      return { ...span, kind: 'client', attributes: { ...DATABASE, 'db.collection.name': `table_${i % ROUTES}` } };
    }),
  );
}

function pointsAt(round: number, timeUnixMs: number): TelemetryBatch {
  const count = round * 100;
  const value = { count, sum: count, bucketCounts: [...BOUNDS.map(() => 0), count] };
  const histogram = (name: string) => {
    const attributesOf = name.startsWith('db') ? tableAttributes : routeAttributes;
    const points = Array.from({ length: ROUTES }, (_, i): HistogramPoint => ({
      attributes: attributesOf(i),
      startUnixMs: 1,
      value,
    }));
    return { kind: 'histogram', name, unit: 's', description: '', bounds: BOUNDS, points } as const;
  };
  const others = Array.from({ length: OTHER_METRICS }, (_, i) => `other.${i}`);
  const names = ['http.server.request.duration', 'db.client.operation.duration', ...others];
  const resource = { 'service.name': 'coffee', 'telemetry.sdk.language': 'nodejs' };
  const scope = { name: 'bench', version: '1' };
  const all = names.map(histogram);
  return toBatch('metrics', encodeMetricsRequest({ resource, scope, timeUnixMs, metrics: all }), names.length * ROUTES);
}

function routeAttributes(route: number): Record<string, string> {
  return {
    'http.request.method': 'GET',
    'http.response.status_code': '200',
    'http.route': `/products/${route}`,
    'url.scheme': 'http',
  };
}

function tableAttributes(table: number): Record<string, string> {
  return {
    'db.system.name': 'postgresql',
    'db.namespace': 'coffee',
    'db.operation.name': 'SELECT',
    'db.collection.name': `table_${table}`,
  };
}

import * as v from 'valibot';
import { expect, test } from 'vitest';
import { RetryableError } from '../../../engine/errors.ts';
import { batchOfSpans, spanId, type SpanDraft } from '../../../../tests/support/otlp/otlp-spans.ts';
import { protobufFromJson } from '../../../engine/otlp/json/protobuf-from-json.ts';
import { toBatch } from '../../../../tests/support/components/batches.ts';
import { spanMetricsConfig } from './config.ts';
import { ConnectorUnderTest, emittedIn, type Emitted } from './connector-under-test.ts';

const MS = 1_000_000n;

function span(number: number, durationMs: number, draft: Partial<SpanDraft> = {}): SpanDraft {
  return {
    spanId: spanId(number),
    name: 'GET /users/:id',
    kind: 'server',
    durationNano: BigInt(durationMs) * MS,
    ...draft,
  };
}

function find(points: readonly Emitted[], metric: string, labels: Record<string, string> = {}): Emitted | undefined {
  const isFound = (point: Emitted): boolean =>
    point.metric === `traces.span.metrics.${metric}` &&
    Object.entries(labels).every(([key, value]) => point.labels[key] === value);
  return points.find(isFound);
}

test('the first flush, at the latest the shutdown, has the true counts of calls and durations', async () => {
  const connector = await ConnectorUnderTest.start();
  await connector.take(batchOfSpans([span(1, 3), span(2, 3), span(3, 900, { statusMessage: 'failed' })]));
  const points = await connector.end();
  const labels = { 'service.name': 'coffee', 'span.name': 'GET /users/:id', 'span.kind': 'SPAN_KIND_SERVER' };
  expect(points.map(({ metric, labels: all, count }) => [metric, all, count])).toEqual([
    ['traces.span.metrics.calls', { ...labels, 'status.code': 'STATUS_CODE_UNSET' }, 2],
    ['traces.span.metrics.calls', { ...labels, 'status.code': 'STATUS_CODE_ERROR' }, 1],
    ['traces.span.metrics.duration', { ...labels, 'status.code': 'STATUS_CODE_UNSET' }, 2],
    ['traces.span.metrics.duration', { ...labels, 'status.code': 'STATUS_CODE_ERROR' }, 1],
  ]);
  expect(points[2]).toMatchObject({ sum: 6, buckets: [0, 2, ...Array.from({ length: 15 }, () => 0)] });
});

test('the labels of names hold no secrets', async () => {
  const connector = await ConnectorUnderTest.start();
  const names = ['GET /cb?token=hunter2&page=2', 'GET /cb?token=hunter3&page=2', "SELECT a FROM t WHERE b = 'hunter2'"];
  await connector.take(batchOfSpans(names.map((name, i) => span(i + 1, 3, { name }))));
  const points = await connector.end();
  expect(find(points, 'calls', { 'span.name': 'GET /cb?token=[Filtered]&page=2' })?.count).toBe(2);
  expect(find(points, 'calls', { 'span.name': 'SELECT a FROM t WHERE b = ?' })?.count).toBe(1);
});

test('counts go on when a flush is not accepted, and lose nothing', async () => {
  const connector = await ConnectorUnderTest.start({ metrics_flush_interval: '20ms' });
  connector.sink.answer = (attempt) => {
    if (attempt < 3) throw new RetryableError('queue_full', 'full');
  };
  await connector.take(batchOfSpans([span(1, 3)]));
  await expect.poll(() => connector.sink.batches.length).toBeGreaterThan(0);
  await connector.take(batchOfSpans([span(2, 3)]));
  expect(find(await connector.end(), 'calls')?.count).toBe(2);
});

test('dimensions come from the span, then from the resource, then from their default', async () => {
  const connector = await ConnectorUnderTest.start({
    dimensions: [{ name: 'http.route' }, { name: 'region', default: 'none' }, { name: 'telemetry.sdk.language' }],
    calls_dimensions: [{ glob: 'app.*' }],
    exclude_dimensions: ['span.name'],
    histogram: { unit: 's', dimensions: [{ name: 'zone', default: 'z' }] },
  });
  const attributes = { 'http.route': '/x', 'app.tenant': 'a', 'app.a.b': 'no', 'telemetry.sdk.language': 'go' };
  await connector.take(batchOfSpans([span(1, 1500, { attributes }), span(2, 1500)]));
  const points = await connector.end();
  const own = { 'service.name': 'coffee', 'span.kind': 'SPAN_KIND_SERVER', 'status.code': 'STATUS_CODE_UNSET' };
  expect(find(points, 'calls', { 'http.route': '/x' })?.labels).toEqual({
    ...own,
    'http.route': '/x',
    region: 'none',
    'telemetry.sdk.language': 'go',
    'app.tenant': 'a',
  });
  expect(find(points, 'calls', { 'telemetry.sdk.language': 'nodejs' })?.labels).toEqual({
    ...own,
    region: 'none',
    'telemetry.sdk.language': 'nodejs',
  });
  expect(find(points, 'duration')).toMatchObject({ sum: 1.5, labels: { zone: 'z' } });
});

test('the values 1 and "1", and attributes in another order, are one series', async () => {
  const connector = await ConnectorUnderTest.start({ dimensions: [{ name: 'a' }, { name: 'b' }] });
  const orders = [
    { a: 1, b: 'x' },
    { b: 'x', a: 1 },
    { a: '1', b: 'x' },
  ];
  await connector.take(batchOfSpans(orders.map((attributes, i) => span(i + 1, 3, { attributes }))));
  expect((await connector.end()).map(({ count }) => count)).toEqual([3, 3]);
});

test('spans beyond the limits are counted in an overflow series, and counted', async () => {
  const connector = await ConnectorUnderTest.start({ aggregation_cardinality_limit: 2 });
  await connector.take(batchOfSpans(Array.from({ length: 100 }, (_, i) => span(i + 1, 3, { name: `/${i % 50}` }))));
  const points = await connector.end();
  expect(points.filter(({ metric }) => metric.endsWith('calls')).map(({ count }) => count)).toEqual([2, 2, 96]);
  expect(find(points, 'calls', { 'otel.metric.overflow': 'true' })?.labels).toEqual({ 'otel.metric.overflow': 'true' });
  expect(await connector.counts()).toEqual({ overflow: 96 });
});

test('any number of names has as many series as the limit allows, and each span counts', async () => {
  const connector = await ConnectorUnderTest.start({ dimensions: [{ name: 'user' }] });
  for (let batch = 0; batch < 20; batch++) {
    const names = Array.from({ length: 1000 }, (_, i) => `/${batch * 1000 + i}`);
    await connector.take(batchOfSpans(names.map((name, i) => span(i + 1, 3, { name, attributes: { user: name } }))));
  }
  const points = await connector.end();
  expect(points).toHaveLength(2 * 1001);
  expect(points.reduce((sum, { metric, count }) => sum + (metric.endsWith('calls') ? count : 0), 0)).toBe(20_000);
});

test('a new resource takes the place of one without new spans, but never of counts that were not emitted', async () => {
  const connector = await ConnectorUnderTest.start({ resource_metrics_cache_size: 1, metrics_flush_interval: '30ms' });
  await connector.take(batchOfSpans([span(1, 3)], 'first'));
  await connector.take(batchOfSpans([span(2, 3)], 'second'));
  expect(await connector.counts()).toEqual({ max_resources: 1 });
  await expect.poll(() => connector.sink.batches.length).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await connector.take(batchOfSpans([span(3, 3)], 'second'));
  expect((await connector.end()).map(({ labels }) => labels['service.name'])).toEqual(['second', 'second']);
});

test('spans without a service are counted as skipped', async () => {
  const connector = await ConnectorUnderTest.start();
  const spans = [{ traceId: '01'.repeat(16), spanId: '02'.repeat(8), name: 'a' }];
  const json = { resourceSpans: [{ scopeSpans: [{ spans }] }] };
  await connector.take(toBatch('traces', protobufFromJson('traces', Buffer.from(JSON.stringify(json))), 1));
  expect(await connector.end()).toEqual([]);
  expect(await connector.counts()).toEqual({ no_service_name: 1 });
});

test('each bucket keeps its newest and its slowest span until others take their place', async () => {
  const connector = await ConnectorUnderTest.start({ exemplars: { enabled: true }, metrics_flush_interval: '30ms' });
  await connector.take(
    batchOfSpans([span(1, 3), span(2, 4), span(3, 3), span(4, 900), span(5, 3, { traceId: '0'.repeat(32) })]),
  );
  await expect.poll(() => connector.sink.batches.length).toBeGreaterThan(2);
  const kept = find(emittedIn(connector.sink.batches.at(-1)!), 'duration')?.exemplars;
  expect(kept).toEqual([
    { spanId: spanId(2), value: 4 },
    { spanId: spanId(3), value: 3 },
    { spanId: spanId(4), value: 900 },
  ]);
  await connector.take(batchOfSpans([span(6, 3)]));
  expect(find(await connector.end(), 'duration')?.exemplars).toEqual([
    { spanId: spanId(6), value: 3 },
    { spanId: spanId(4), value: 900 },
  ]);
});

function sampled(traceState: string, name: string): SpanDraft[] {
  return Array.from({ length: 3000 }, (_, i) => span(i + 1, 3, { traceState, name }));
}

test('a sampled span counts for those that it stands for, on average exactly', async () => {
  const connector = await ConnectorUnderTest.start();
  await connector.take(
    batchOfSpans([
      ...sampled('ot=th:c', 'quarter'),
      ...sampled('a=b,ot=rv:0123456789abcd;th:4', '4/3'),
      ...sampled('x=th:8', 'all'),
    ]),
  );
  const points = await connector.end();
  expect(find(points, 'calls', { 'span.name': 'quarter' })?.count).toBe(12_000);
  expect(find(points, 'calls', { 'span.name': 'all' })?.count).toBe(3000);
  // The standard deviation of the sum is 26.
  expect(Math.abs((find(points, 'calls', { 'span.name': '4/3' })?.count ?? 0) - 4000)).toBeLessThan(160);
});

test('events are counted by their attributes', async () => {
  const connector = await ConnectorUnderTest.start({
    events: { enabled: true, dimensions: [{ name: 'exception.type' }] },
  });
  const events = ['A', 'B', 'A'].map((type) => ({ name: 'exception', attributes: { 'exception.type': type } }));
  await connector.take(batchOfSpans([span(1, 3, { events })]));
  const points = await connector.end();
  expect(find(points, 'events', { 'exception.type': 'A' })?.count).toBe(2);
  expect(find(points, 'events', { 'exception.type': 'B' })?.count).toBe(1);
});

test('series and resources without spans expire', async () => {
  const connector = await ConnectorUnderTest.start({ series_expiration: '60ms', metrics_flush_interval: '20ms' });
  await connector.take(batchOfSpans([span(1, 3, { name: 'old' })]));
  await expect.poll(() => connector.sink.batches.length).toBeGreaterThan(6);
  await connector.take(batchOfSpans([span(2, 3, { name: 'new' })]));
  const points = await connector.end();
  expect(new Set(points.map(({ labels }) => labels['span.name']))).toEqual(new Set(['new']));
});

test('a span that ends before it starts took no time, and one of 50,000 spans is as good as another', async () => {
  const connector = await ConnectorUnderTest.start();
  await connector.take(batchOfSpans(Array.from({ length: 50_000 }, (_, i) => span(i + 1, i === 0 ? -5 : 3))));
  expect(find(await connector.end(), 'duration')).toMatchObject({ count: 50_000, sum: 3 * 49_999 });
});

test.each([
  [{ histogram: { exponential: {} } }, 'has exponential, which siphon does not support'],
  [{ aggregation_temporality: 'AGGREGATION_TEMPORALITY_DELTA' }, 'siphon does not support delta'],
  [{ dimensions: [{ name: 'a', glob: 'b' }] }, 'needs either name or glob'],
  [{ dimensions: [{ name: 'span.name' }] }, 'names a dimension twice'],
  [{ dimensions: [{ name: 'a.b' }, { glob: 'a.*' }] }, 'names a dimension twice'],
  [{ dimensions: [{ glob: '{a,b}' }] }, 'other wildcards'],
  [{ events: { enabled: true } }, 'needs dimensions'],
])('%j is refused', (config, message) => {
  expect(
    v
      .safeParse(spanMetricsConfig, config)
      .issues?.map((issue) => issue.message)
      .join(),
  ).toContain(message);
});

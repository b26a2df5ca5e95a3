import { expect, test } from 'vitest';
import type { TelemetryBatch } from '../../../engine/component.ts';
import type { HistogramPoint, MetricData } from '../../../engine/otlp/metrics-writer.ts';
import { spanId, type SpanDraft } from '../../../../tests/support/otlp/otlp-spans.ts';
import { ProcessorUnderTest, type AddedExemplar } from './processor-under-test.ts';

const SECOND = 1000;
const START_MS = Date.now() - 600 * SECOND;
/** The first interval that can have exemplars, and the time of the export that gets them. */
const INTERVAL_MS = START_MS + 10 * SECOND;
const DECIDED_MS = START_MS + 30 * SECOND;
const ROUTE = { 'http.request.method': 'GET', 'http.response.status_code': '200', 'http.route': '/users/:id' };

interface Request {
  readonly id?: number;
  readonly endMs?: number;
  readonly durationMs?: number;
  readonly attributes?: SpanDraft['attributes'];
}

function server({
  id = 1,
  endMs = INTERVAL_MS + 5 * SECOND,
  durationMs = 300,
  attributes = {},
}: Request = {}): SpanDraft {
  return {
    spanId: spanId(id),
    traceId: spanId(id).repeat(2),
    kind: 'server',
    startTimeUnixNano: BigInt(endMs - durationMs) * 1_000_000n,
    durationNano: BigInt(durationMs) * 1_000_000n,
    attributes: { 'url.path': '/users/7', ...ROUTE, 'http.response.status_code': 200, ...attributes },
  };
}

/** A histogram with the bounds 0.1 and 1. */
function durations(counts: readonly number[], attributes: Record<string, string> = ROUTE): HistogramPoint {
  const count = counts.reduce((sum, one) => sum + one, 0);
  return { attributes, startUnixMs: START_MS, value: { count, sum: count, bucketCounts: counts } };
}

function histogram(...points: readonly HistogramPoint[]): MetricData {
  const name = 'http.server.request.duration';
  return { kind: 'histogram', name, unit: 's', description: '', bounds: [0.1, 1], points };
}

/** A counter of orders with this value. */
function counter(value: number): MetricData[] {
  const points = [{ attributes: { shop: 'a' }, value, startUnixMs: START_MS }];
  const traits = { unit: '{order}', description: '', monotonic: true, temporality: 'cumulative' } as const;
  return [{ kind: 'sum', name: 'orders', ...traits, points }];
}

/** Sends the points of four exports, with the spans between the second and the third. Returns the last exemplars. */
async function exemplarsOf(
  spans: readonly SpanDraft[],
  {
    processor = new ProcessorUnderTest(),
    before = [histogram(durations([5, 5, 5]))],
    after = [histogram(durations([5, 6, 5]))],
  }: { processor?: ProcessorUnderTest; before?: readonly MetricData[]; after?: readonly MetricData[] } = {},
): Promise<AddedExemplar[]> {
  await processor.takePoints(before, START_MS);
  await processor.takePoints(before, INTERVAL_MS);
  await processor.takeSpans(spans);
  expect(await processor.takePoints(after, START_MS + 20 * SECOND)).toEqual([]);
  return await processor.takePoints(after, DECIDED_MS);
}

test('the only span of a bucket becomes its exemplar, with the next point', async () => {
  const processor = new ProcessorUnderTest();
  expect(await exemplarsOf([server()], { processor })).toEqual([
    {
      metric: 'http.server.request.duration',
      attributes: ROUTE,
      value: 0.3,
      timeUnixNano: BigInt(INTERVAL_MS + 5 * SECOND) * 1_000_000n,
      traceId: spanId(1).repeat(2),
      spanId: spanId(1),
      isDerived: true,
    },
  ]);
  expect(await processor.counts()).toEqual({ linked: 1 });
  expect(await processor.takePoints([histogram(durations([5, 6, 5]))], DECIDED_MS + 10 * SECOND)).toEqual([]);
});

test('a span that arrives after the points of its interval is in time, and so is one that arrives twice', async () => {
  const processor = new ProcessorUnderTest();
  const [before, after] = [[histogram(durations([5, 5, 5]))], [histogram(durations([5, 6, 5]))]];
  await processor.takePoints(before, START_MS);
  await processor.takePoints(before, INTERVAL_MS);
  await processor.takePoints(after, INTERVAL_MS + 10 * SECOND);
  for (let i = 0; i < 2; i++) await processor.takeSpans([server()]);
  expect(await processor.takePoints(after, DECIDED_MS)).toHaveLength(1);
});

test.each<[reason: string, spans: readonly SpanDraft[], outcome: string]>([
  ['of two spans in a bucket', [server(), server({ id: 2 })], 'ambiguous'],
  ['near the bound of a bucket', [server({ durationMs: 101 })], 'uncertain'],
  ['that ended near the end of an interval', [server({ endMs: INTERVAL_MS + 9990 })], 'uncertain'],
  ['in a bucket that has not risen', [server({ durationMs: 5000 })], 'not_counted'],
])('a span %s is not linked', async (_, spans, outcome) => {
  const processor = new ProcessorUnderTest();
  expect(await exemplarsOf(spans, { processor })).toEqual([]);
  expect(Object.keys(await processor.counts())).toContain(outcome);
});

test.each<[what: string, span: SpanDraft]>([
  ['another value', server({ attributes: { 'http.route': '/orders' } })],
  [
    'an attribute that the point would have',
    { ...server(), attributes: { ...server().attributes, 'error.type': 'x' } },
  ],
  ['another kind', { ...server(), kind: 'client' }],
  ['another interval', server({ endMs: START_MS + 5 * SECOND })],
])('a span with %s is not linked', async (what, span) => {
  const failed = { ...ROUTE, 'error.type': 'x' };
  const before = [histogram(durations([5, 5, 5]), durations([1, 1, 1], failed))];
  const after = [histogram(durations([5, 6, 5]), durations([1, 1, 1], failed))];
  expect(await exemplarsOf([span], what.startsWith('an attr') ? { before, after } : {})).toEqual([]);
});

test('spans of another resource are not linked', async () => {
  const processor = new ProcessorUnderTest();
  await processor.takePoints([histogram(durations([5, 5, 5]))], START_MS);
  await processor.takePoints([histogram(durations([5, 5, 5]))], INTERVAL_MS);
  await processor.takeSpans([server()], 'tea');
  await processor.takePoints([histogram(durations([5, 6, 5]))], INTERVAL_MS + 10 * SECOND);
  expect(await processor.takePoints([histogram(durations([5, 6, 5]))], DECIDED_MS)).toEqual([]);
});

test.each<[flaw: string, span: SpanDraft, reason: string]>([
  ['ids of zeros', { ...server(), traceId: '0'.repeat(32) }, 'invalid_ids'],
  ['an end before its start', { ...server(), durationNano: -1n }, 'invalid_time'],
  ['an end in the future', server({ endMs: Date.now() + 3600 * SECOND }), 'invalid_time'],
  ['long attributes', server({ attributes: { 'http.route': 'x'.repeat(2000) } }), 'too_large'],
])('a span with %s is counted, and casts doubt on its interval', async (_, span, reason) => {
  const processor = new ProcessorUnderTest();
  expect(await exemplarsOf([server(), span], { processor })).toEqual([]);
  expect(await processor.counts()).toEqual({ [reason]: 1 });
});

test('a counter gets the span that made its only step', async () => {
  const rule = { metric: 'orders', span_names: ['order'], attributes: ['shop'] };
  const span = { ...server(), name: 'order', attributes: { shop: 'a' } };
  const other = { ...span, spanId: spanId(9), name: 'payment' };
  const steps = async (step: number): Promise<AddedExemplar[]> =>
    await exemplarsOf([span, other], {
      processor: new ProcessorUnderTest({ rules: [rule] }),
      before: counter(5),
      after: counter(5 + step),
    });
  expect(await steps(1)).toMatchObject([{ metric: 'orders', value: 1, spanId: spanId(1) }]);
  expect(await steps(2)).toEqual([]);
});

test('after a restart of the service or a clock that was set back, the next intervals are linked again', async () => {
  const processor = new ProcessorUnderTest();
  expect(await exemplarsOf([server()], { processor })).toHaveLength(1);
  const restarted = [histogram(durations([0, 1, 0]))];
  const backMs = START_MS - 300 * SECOND;
  const take = async (metrics: readonly MetricData[], seconds: number): Promise<AddedExemplar[]> =>
    await processor.takePoints(metrics, backMs + seconds * SECOND);
  expect(await take(restarted, 0)).toEqual([]);
  await take(restarted, 10);
  await processor.takeSpans([server({ endMs: backMs + 15 * SECOND })]);
  await take([histogram(durations([0, 2, 0]))], 20);
  expect(await take([histogram(durations([0, 2, 0]))], 30)).toHaveLength(1);
});

test('spans beyond the limit are counted, and their intervals have no exemplars', async () => {
  const processor = new ProcessorUnderTest({ max_spans: 10 });
  const spans = Array.from({ length: 20 }, (_, i) => server({ id: i + 1, durationMs: i === 0 ? 300 : 10 }));
  expect(await exemplarsOf(spans, { processor })).toEqual([]);
  expect(await processor.counts()).toEqual({ max_spans: 15 });
  const next = [histogram(durations([5, 7, 5]))];
  await processor.takePoints(next, DECIDED_MS + 10 * SECOND);
  await processor.takeSpans([server({ endMs: DECIDED_MS + 15 * SECOND })]);
  await processor.takePoints([histogram(durations([5, 8, 5]))], DECIDED_MS + 20 * SECOND);
  expect(await processor.takePoints(next, DECIDED_MS + 30 * SECOND)).toHaveLength(1);
});

test('points that have exemplars stay as they are, also in the next intervals', async () => {
  const first = new ProcessorUnderTest();
  await exemplarsOf([server()], { processor: first });
  const withExemplar = first.lastPoints as TelemetryBatch;
  const second = new ProcessorUnderTest();
  await second.takeBatch(withExemplar);
  expect(second.lastPoints).toBe(withExemplar);
  expect(await exemplarsOf([server()], { processor: second })).toEqual([]);
});

test('a flood of series and resources costs neither memory nor exemplars of others', async () => {
  const processor = new ProcessorUnderTest();
  const flood = async (from: number): Promise<void> => {
    const points = Array.from({ length: 3000 }, (_, i) =>
      durations([0, 1, 0], { ...ROUTE, 'http.route': `/${from + i}` }),
    );
    await processor.takePoints([histogram(...points)], START_MS + from, `flood ${from % 3}`);
    const attributes = (i: number) => ({ 'http.route': `/${from + i}` });
    await processor.takeSpans(
      Array.from({ length: 3000 }, (_, i) => server({ id: i, attributes: attributes(i) })),
      `flood ${from % 3}`,
    );
  };
  await flood(0);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let i = 1; i < 4; i++) await flood(i * 3000);
  expect(await exemplarsOf([server()], { processor })).toHaveLength(1);
  globalThis.gc?.();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
});

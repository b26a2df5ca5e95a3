import { expect, it } from 'vitest';
import type { Span, Trace } from '../engine/stored-telemetry.ts';
import { TraceComparisonApi } from './trace-comparison-api.ts';
import { comparisonAddress, idPairOf } from './trace-pair.ts';
import { comparedTraces } from './trace-comparison.ts';
import { traceComparisonText } from './text/trace-comparison-text.ts';

type Draft = readonly [name: string, startMs: number, durationMs: number, parent?: string, error?: string];

function traceOf(traceId: string, drafts: readonly Draft[]): Trace {
  const spans = drafts.map(([name, startMs, durationMs, parentSpanId, error], index): Span => ({
    traceId,
    spanId: `${index}`,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name,
    kind: 'internal',
    service: 'shop',
    startTimeUnixNano: String(BigInt(startMs) * 1_000_000n),
    durationMs,
    status: { code: error === undefined ? 'unset' : 'error' },
    attributes: {},
    events:
      error === undefined ? [] : [{ name: 'exception', timeUnixNano: '0', attributes: { 'exception.message': error } }],
    resource: {},
  }));
  return { traceId, spans, logs: [], lockWaits: [], spanCount: spans.length + (traceId === 'b' ? 3 : 0), logCount: 0 };
}

const fast = traceOf('a', [
  ['GET /', 0, 10],
  ['SELECT', 1, 2, '0'],
  ['SELECT', 4, 2, '0'],
  ['cache', 7, 1, '0'],
]);
const slow = traceOf('b', [
  ['GET /', 0, 110],
  ['SELECT', 1, 100, '0', 'too many'],
  ['retry\u001B[31m', 102, 3, '0'],
]);

it('adds own times by operation, and shows what only one of them has', () => {
  const { operations, first, second, errors } = comparedTraces(fast, slow);
  expect(operations.map(({ name, differenceMs }) => [name, differenceMs])).toEqual([
    ['SELECT', 96],
    ['retry\u001B[31m', 3],
    ['GET /', 2],
    ['cache', -1],
  ]);
  expect(operations[0]).toMatchObject({ first: { count: 2, selfMs: 4 }, second: { count: 1, selfMs: 100, failed: 1 } });
  expect(operations[1]).not.toHaveProperty('first');
  expect(operations[3]).not.toHaveProperty('second');
  expect([first.durationMs, second.durationMs, first.leftSpans, second.leftSpans]).toEqual([10, 110, 0, 3]);
  expect(errors).toEqual([{ text: 'too many', first: 0, second: 1 }]);
});

it('reads as a table', () => {
  expect(traceComparisonText(comparedTraces(fast, slow)).split('\n')).toEqual([
    'First   a  1970-01-01 00:00:00.000Z  10.0 ms  4 spans, 0 failed, 0 errors  shop GET /',
    'Second  b  1970-01-01 00:00:00.000Z  110 ms  6 spans, 1 failed, 1 error, 3 not compared  shop GET /',
    'Second - first: +100 ms',
    '',
    'OWN TIME: FIRST     SECOND  DIFFERENCE    SPANS  OPERATION',
    '        4.00 ms     100 ms    +96.0 ms    2 → 1  shop SELECT (internal): failed 0 → 1',
    '              -    3.00 ms    +3.00 ms    0 → 1  shop retry\uFFFD[31m (internal): only in the second',
    '        5.00 ms    7.00 ms    +2.00 ms    1 → 1  shop GET / (internal)',
    '        1.00 ms          -    -1.00 ms    1 → 0  shop cache (internal): only in the first',
    '',
    'ERRORS',
    '    0 → 1  too many',
  ]);
});

it('has an address with both ids', () => {
  expect(comparisonAddress('a/', 'b')).toBe('/traces/a%2F...b');
  expect(idPairOf('abcd...0123')).toEqual(['abcd', '0123']);
  for (const wrong of ['abcd', 'abcd...', '...abcd', 'a...b...c']) expect(idPairOf(wrong)).toBeUndefined();
});

it('passes on why a trace is missing', async () => {
  const api = new TraceComparisonApi(async (path) =>
    path === '/api/traces/a'
      ? { status: 200, body: JSON.stringify(fast) }
      : { status: 404, body: '{"error":"not here"}' },
  );
  const ask = async (ids: string) => await api.answer(api.prefix + ids, new URLSearchParams(), () => true);
  expect(await ask('a...b')).toEqual({ status: 404, body: '{"error":"not here"}' });
  expect((await ask('a')).status).toBe(400);
  expect(JSON.parse((await ask('a...a')).body)).toMatchObject({
    errors: [],
    operations: [{ differenceMs: 0 }, {}, {}],
  });
});

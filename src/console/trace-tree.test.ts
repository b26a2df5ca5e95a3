import { expect, it } from 'vitest';
import type { Span } from '../engine/stored-telemetry.ts';
import { traceTree } from './trace-tree.ts';

const START = 1_800_000_000_000_000_000n;

function span(spanId: string, parentSpanId: string | undefined, fromMs: number, durationMs: number): Span {
  return {
    traceId: 'a'.repeat(32),
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name: spanId,
    kind: 'internal',
    service: 'shop',
    startTimeUnixNano: String(START + BigInt(fromMs) * 1_000_000n),
    durationMs,
    status: { code: 'unset' },
    attributes: {},
    events: [],
    resource: {},
  };
}

const log = (spanId: string, body: string) => ({
  timeUnixNano: String(START),
  severityNumber: 9,
  severityText: '',
  service: 'shop',
  body,
  spanId,
  attributes: {},
});

it('puts children below their parents by time, with self time and critical path', () => {
  const spans = [
    span('root', undefined, 0, 100),
    span('late', 'root', 40, 50),
    span('early', 'root', 5, 30),
    span('parallel', 'root', 10, 20),
    span('inner', 'late', 45, 10),
  ];
  const { rows, durationMs } = traceTree({ spans, logs: [log('late', 'x')] });
  expect(rows.map(({ span: { name }, depth }) => `${depth} ${name}`)).toEqual([
    '0 root',
    '1 early',
    '1 parallel',
    '1 late',
    '2 inner',
  ]);
  expect(durationMs).toBe(100);
  // 5–35 and 40–90 are covered.
  expect(rows.map(({ selfMs }) => selfMs)).toEqual([20, 30, 20, 40, 10]);
  expect(rows.filter(({ isCritical }) => isCritical).map((row) => row.span.name)).toEqual([
    'root',
    'early',
    'late',
    'inner',
  ]);
  expect(rows[3]?.logs).toHaveLength(1);
});

it('shows every span once: orphans, circles, children that outlive their parents, 10,000 levels', () => {
  const { rows, logs } = traceTree({
    spans: [span('a', 'b', 0, 5), span('b', 'a', 1, 5), span('alone', 'gone', 2, 5), span('self', 'self', 3, 1)],
    logs: [log('nowhere', 'y')],
  });
  expect(rows.map((row) => row.span.name).toSorted()).toEqual(['a', 'alone', 'b', 'self']);
  expect(rows.find((row) => row.span.name === 'alone')).toMatchObject({ isOrphan: true, depth: 0 });
  expect(logs).toHaveLength(1);
  const outliving = traceTree({ spans: [span('p', undefined, 0, 10), span('c', 'p', 5, 50)], logs: [] });
  expect(outliving).toMatchObject({ durationMs: 55, rows: [{ selfMs: 5 }, { selfMs: 50 }] });
  const deep = Array.from({ length: 10_000 }, (_, at) => span(`${at}`, at === 0 ? undefined : `${at - 1}`, at, 1));
  expect(traceTree({ spans: deep, logs: [] }).rows.at(-1)?.depth).toBe(9999);
  expect(traceTree({ spans: [], logs: [] })).toMatchObject({ rows: [], durationMs: 0 });
});

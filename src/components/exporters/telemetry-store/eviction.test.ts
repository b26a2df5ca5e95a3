import { expect, it } from 'vitest';
import { batchOfLogs } from '../../../../tests/support/otlp/otlp-logs.ts';
import { batchOfSpans, spanId, type SpanDraft } from '../../../../tests/support/otlp/otlp-spans.ts';
import { batchOfExemplar, startStore, type RunningStore } from '../../../../tests/support/components/running-store.ts';

const MIB = 1024 * 1024;

function traceId(number: number): string {
  return `1${number.toString(16).padStart(31, '0')}`;
}

/** A span of a trace of its own, with a value that no other one has. */
function span(number: number, draft: Partial<SpanDraft> = {}): SpanDraft {
  const attributes = { 'app.id': `${number} ${'x'.repeat(1000)}` };
  return { spanId: spanId(number), traceId: traceId(number), attributes, ...draft };
}

async function fill({ store }: RunningStore, first: number, count: number, draft?: Partial<SpanDraft>): Promise<void> {
  for (let at = first; at < first + count; at += 500) {
    await store.consume(batchOfSpans(Array.from({ length: 500 }, (_, i) => span(at + i, draft))));
  }
}

async function isKept({ ask }: RunningStore, number: number): Promise<boolean> {
  return (await ask(`/api/traces/${traceId(number)}`)).status === 200;
}

it('stays below its size, and forgets the oldest traces first', async () => {
  await using started = await startStore({ max_size_mib: 4 });
  await fill(started, 1, 10_000);
  const page = await started.page();
  const [items, bytes, evicted] = ['items', 'size_bytes', 'evicted_items'].map((name) =>
    Number(new RegExp(`siphon_store_${name}\\{.*\\} (\\d+)`).exec(page)?.[1]),
  );
  expect(bytes).toBeLessThanOrEqual(4 * MIB);
  expect(bytes).toBeGreaterThan(3 * MIB);
  expect(items! + evicted!).toBe(10_000);
  expect(await isKept(started, 1)).toBe(false);
  expect(await isKept(started, 10_000)).toBe(true);
});

it('keeps slow traces longer than ordinary ones, then errors, and traces of exemplars longest', async () => {
  await using started = await startStore({ max_size_mib: 4, slow_threshold: '2s' });
  const { store } = started;
  await store.consume(batchOfSpans([span(1), span(2, { durationNano: 2_000_000_000n })]));
  await store.consume(batchOfSpans([span(3, { statusMessage: 'failed' }), span(4)]));
  await store.consume(batchOfExemplar('m', traceId(4), spanId(4)));
  // A trace becomes one with an error when its error arrives, here as a log record.
  await store.consume(batchOfSpans([span(5)]));
  await store.consume(batchOfLogs([{ body: 'failed', severity: 17, traceId: traceId(5), spanId: spanId(5) }]));
  await fill(started, 1001, 6000);
  const kept = async (): Promise<boolean[]> => await Promise.all([1, 2, 3, 5, 4].map((n) => isKept(started, n)));
  expect(await kept()).toEqual([false, true, true, true, true]);
  await fill(started, 30_001, 8000, { durationNano: 3_000_000_000n });
  expect(await kept()).toEqual([false, false, true, true, true]);
  await fill(started, 60_001, 8000, { statusMessage: 'failed' });
  expect(await kept()).toEqual([false, false, false, false, true]);
  expect((await started.ask(`/api/logs?trace=${traceId(5)}`)).body.logs).toEqual([]);
});

it('keeps what it moves as it was', async () => {
  await using started = await startStore({ max_size_mib: 4 });
  const { store, ask } = started;
  const failed = span(1, {
    parentSpanId: spanId(9),
    statusMessage: 'failed',
    events: [
      { name: 'exception', attributes: { 'exception.message': 'no', 'exception.stacktrace': 'Error: no\n at x' } },
    ],
  });
  await store.consume(batchOfSpans([failed]));
  const line = { body: 'no', severity: 17, traceId: traceId(1), spanId: spanId(1), attributes: { a: 1 } };
  await store.consume(batchOfLogs([line, { body: 'alone', severity: 17 }]));
  const before = await ask(`/api/traces/${traceId(1)}`);
  const linesBefore = await ask('/api/logs?severity=error');
  await fill(started, 1001, 10_000);
  expect(await ask(`/api/traces/${traceId(1)}`)).toEqual(before);
  expect((await ask('/api/logs?severity=error')).body.logs).toEqual(linesBefore.body.logs);
});

it('needs few bytes for a span with sixteen attributes', async () => {
  await using started = await startStore();
  const { store, page } = started;
  for (let first = 0; first < 10_000; first += 500) {
    const spans = Array.from({ length: 500 }, (_, i) => {
      const number = first + i;
      const names = Array.from({ length: 16 }, (_unused, key) => [
        `attribute.${key}`,
        `value ${number % (key * key + 1)}`,
      ]);
      return { spanId: spanId(number + 1), traceId: traceId(number / 10), attributes: Object.fromEntries(names) };
    });
    await store.consume(batchOfSpans(spans));
  }
  const bytes = Number(/siphon_store_size_bytes\{.*\} (\d+)/.exec(await page())?.[1]);
  expect(bytes / 10_000).toBeLessThan(150);
});

import { expect, it } from 'vitest';
import { startStore } from '../../../../../tests/support/components/running-store.ts';
import { batchOfLogs } from '../../../../../tests/support/otlp/otlp-logs.ts';
import { batchOfSpans, spanId } from '../../../../../tests/support/otlp/otlp-spans.ts';

const START = 1_800_000_000_000_000_000n;
const SECOND = 1_000_000_000n;

const traceId = (number: number): string => number.toString(16).padStart(32, '0');

function exception(message: string, place = 'at pay (/app/pay.js:10:5)'): Record<string, string> {
  return {
    'exception.type': 'PaymentError',
    'exception.message': message,
    ...(place !== '' && {
      'exception.stacktrace': `PaymentError: ${message}\n    ${place}\n    at main (/app/main.js:1:1)`,
    }),
  };
}

it('groups exceptions of spans and log records by their place, and counts each once', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  for (const number of [1, 2, 3]) {
    const at = START + BigInt(number) * SECOND;
    const event = { name: 'exception', attributes: exception(`order ${number} failed`) };
    // It passes through two spans, and is logged.
    await store.consume(
      batchOfSpans([
        { traceId: traceId(number), spanId: spanId(1), startTimeUnixNano: at, events: [event] },
        { traceId: traceId(number), spanId: spanId(2), startTimeUnixNano: at, events: [event] },
      ]),
    );
    const record = { body: 'failed', traceId: traceId(number), timeUnixNano: at + 1n, attributes: event.attributes };
    await store.consume(batchOfLogs([record]));
  }
  const { body } = await ask('/api/errors');
  expect(body).toMatchObject({ left: 0, errors: [{ service: 'coffee', type: 'PaymentError', count: 3 }] });
  const [group] = body.errors;
  expect(group).toMatchObject({ message: 'order 3 failed', traces: [3, 2, 1].map(traceId) });
  expect(group.stack).toContain('at pay (/app/pay.js:10:5)');
  expect(BigInt(group.lastTimeUnixNano) - BigInt(group.firstTimeUnixNano)).toBe(2n * SECOND);
  expect(group.counts.reduce((sum: number, count: number) => sum + count, 0)).toBe(3);
});

it('separates places and types; without a stack, messages apart from their numbers', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  const messages = ['shop 7 is closed', 'shop 12 is closed', 'no such shop'];
  const records = [
    ...messages.map((message) => exception(message, '')),
    exception('a', 'at pay (/app/pay.js:10:5)'),
    exception('b', 'at pay (/app/pay.js:99:1)'),
    exception('c', 'at refund (/app/pay.js:10:5)'),
  ].map((attributes, at) => ({ body: 'x', attributes, timeUnixNano: START + BigInt(at) * 1_000_000n }));
  await store.consume(batchOfLogs([...records, { body: 'no exception', timeUnixNano: START, attributes: {} }]));
  const { body } = await ask('/api/errors');
  const counts = body.errors.map(({ message, count }: { message: string; count: number }) => `${message}: ${count}`);
  expect(counts.toSorted()).toEqual(['b: 2', 'c: 1', 'no such shop: 1', 'shop 12 is closed: 2']);
});

it('finds those of a service and of a time', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  await store.consume(batchOfLogs([{ body: 'x', attributes: exception('old'), timeUnixNano: START }]));
  expect((await ask('/api/errors?service=tea')).body.errors).toEqual([]);
  expect((await ask('/api/errors?service=cof*')).body.errors).toHaveLength(1);
  expect((await ask('/api/errors?since=2127-01-01T00:00:00Z')).body.errors).toEqual([]);
  expect((await ask('/api/errors?limit=1')).status).toBe(400);
});

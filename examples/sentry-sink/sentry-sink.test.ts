import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { startSentrySink, type SentrySink } from './sentry-sink.ts';

const NOW = Date.now() / 1000;
const EVENT_ID = 'a'.repeat(32);
const ids = { trace_id: 'b'.repeat(32), span_id: 'c'.repeat(16) };
const transaction = {
  type: 'transaction',
  event_id: EVENT_ID,
  transaction: 'A.2 fetch',
  transaction_info: { source: 'custom' },
  platform: 'node',
  start_timestamp: NOW - 1,
  timestamp: NOW,
  contexts: { trace: { ...ids, op: 'default', status: 'ok' } },
  spans: [{ ...ids, span_id: 'd'.repeat(16), parent_span_id: ids.span_id, start_timestamp: NOW - 1, timestamp: NOW }],
};
const header = { event_id: EVENT_ID, sent_at: new Date(0).toISOString(), sdk: { name: 'siphon', version: '1' } };

function envelope(payload: object, type = 'transaction'): string {
  const text = JSON.stringify(payload);
  return `${JSON.stringify(header)}\n${JSON.stringify({ type, length: Buffer.byteLength(text) })}\n${text}\n`;
}

async function post(sink: SentrySink, body: string | Buffer, headers: Record<string, string> = {}): Promise<number> {
  const { username, origin } = new URL(sink.dsn);
  const auth = `Sentry sentry_version=7, sentry_key=${username}, sentry_client=siphon/1`;
  const response = await fetch(`${origin}/api/1/envelope/`, {
    method: 'POST',
    headers: { 'x-sentry-auth': auth, ...headers },
    body: new Uint8Array(Buffer.from(body)),
  });
  await response.body?.cancel();
  return response.status;
}

describe('the sink', () => {
  it.each([
    ['identity', Buffer.from(envelope(transaction)), {}],
    ['gzip', gzipSync(envelope(transaction)), { 'content-encoding': 'gzip' }],
  ])('takes a proper transaction as %s', async (_, body, headers) => {
    await using sink = await startSentrySink();
    expect(await post(sink, body, headers as Record<string, string>)).toBe(200);
    expect(sink.transactions()).toEqual([transaction]);
    expect(sink.problems()).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    ['an end before its start', { ...transaction, timestamp: NOW - 2 }, /ends before/],
    ['no name', { ...transaction, transaction: '' }, /no name/],
    ['an unknown status', { ...transaction, contexts: { trace: { ...ids, op: 'x', status: 'fine' } } }, /status/],
    [
      'a trace id of zeros',
      { ...transaction, contexts: { trace: { ...ids, op: 'x', status: 'ok', trace_id: '0'.repeat(32) } } },
      /trace_id/,
    ],
    [
      'a span of another trace',
      { ...transaction, spans: [{ ...transaction.spans[0], trace_id: 'e'.repeat(32) }] },
      /another trace/,
    ],
    [
      'too many spans',
      { ...transaction, spans: Array.from({ length: 1001 }, () => transaction.spans[0]) },
      /1000 spans/,
    ],
    ['too many bytes', { ...transaction, extra: 'x'.repeat(1024 * 1024) }, /1 MiB/],
    ['an end 40 days ago', { ...transaction, start_timestamp: 1, timestamp: NOW - 40 * 86_400 }, /30 days ago/],
    ['an end in the future', { ...transaction, timestamp: NOW + 600 }, /in the future/],
    [
      'spans above 800 KiB',
      { ...transaction, spans: [{ ...transaction.spans[0], description: 'x'.repeat(820_000) }] },
      /800 KiB/,
    ],
    [
      'spans out of order',
      { ...transaction, spans: [transaction.spans[0], { ...transaction.spans[0], start_timestamp: NOW - 2 }] },
      /starts before/,
    ],
    ['an environment with a space', { ...transaction, environment: 'a b' }, /environment/],
  ])('refuses a transaction with %s', async (_, payload, problem) => {
    await using sink = await startSentrySink();
    expect(await post(sink, envelope(payload))).toBe(400);
    expect(sink.problems().join()).toMatch(problem);
    expect(sink.transactions()).toEqual([]);
  });

  it.each([
    ['', /not JSON/],
    [envelope(transaction).replace(/"length":\d+/, '"length":10'), /not followed by a newline/],
    [envelope(transaction).replace(/"length":\d+/, '"length":99999'), /beyond the envelope/],
    [`${JSON.stringify(header)}\n`, /no items/],
  ])('refuses broken framing', async (body, problem) => {
    await using sink = await startSentrySink();
    expect(await post(sink, body)).toBe(400);
    expect(sink.problems().join()).toMatch(problem);
  });

  it('refuses a wrong key', async () => {
    await using sink = await startSentrySink();
    const headers = { 'x-sentry-auth': 'Sentry sentry_version=7, sentry_key=no, sentry_client=a/1' };
    expect(await post(sink, envelope(transaction), headers)).toBe(403);
  });

  it('skips items of types that it does not know', async () => {
    await using sink = await startSentrySink();
    expect(await post(sink, envelope({}, 'replay_event'))).toBe(200);
  });

  it.each([
    [{ mechanism: { type: 'x', handled: true } }, {}, /handled has no evidence/],
    [
      { stacktrace: { frames: [{ function: 'a' }, { function: 'b' }] } },
      { 'exception.stacktrace': 'Error: x\n    at b (/b.js:1:1)\n  [cause]: Error: y\n      at a (/a.js:1:1)' },
      /frames of its cause/,
    ],
  ])('refuses an error that claims more than was recorded: %j', async (parts, extra, problem) => {
    await using sink = await startSentrySink();
    const exception = { values: [{ type: 'E', value: 'v', ...parts }] };
    const error = { event_id: EVENT_ID, timestamp: NOW, level: 'error', platform: 'node', contexts: { trace: ids } };
    expect(await post(sink, envelope({ ...error, exception, extra }, 'event'))).toBe(400);
    expect(sink.problems().join()).toMatch(problem);
  });

  const exception = { values: [{ type: 'E', value: 'v' }] };
  const thrown = { event_id: EVENT_ID, timestamp: NOW, level: 'error', platform: 'node', exception };
  const orphan = (span_id: string): object => {
    const trace = { ...ids, span_id, parent_span_id: 'f'.repeat(16), data: { 'otel.kind': 'INTERNAL' } };
    return { ...transaction, contexts: { trace: { ...trace, op: 'default', status: 'ok' } }, spans: [] };
  };

  it.each<[string, object, string, RegExp]>([
    [
      'an error whose transaction is not that of its span',
      { ...thrown, transaction: 'SELECT 1', contexts: { trace: { ...ids, span_id: 'd'.repeat(16) } } },
      'event',
      /an error has the transaction SELECT 1, and its span is in A\.2 fetch/,
    ],
    [
      'a second transaction for one local root',
      { ...transaction, event_id: 'b'.repeat(32) },
      'transaction',
      /several transactions have the root/,
    ],
  ])('refuses %s', async (_, second, type, problem) => {
    await using sink = await startSentrySink();
    expect(await post(sink, envelope(transaction))).toBe(200);
    expect(await post(sink, envelope(second, type))).toBe(400);
    expect(sink.problems()).toEqual([expect.stringMatching(problem)]);
  });

  it('accepts the same event twice, as a client repeats it that got no answer', async () => {
    await using sink = await startSentrySink();
    expect(await post(sink, envelope(transaction))).toBe(200);
    expect(await post(sink, envelope(transaction))).toBe(200);
    expect(sink.problems()).toEqual([]);
  });

  it('reports a transaction for each span below a missing parent', async () => {
    await using sink = await startSentrySink();
    for (const id of ['1', '2']) expect(await post(sink, envelope(orphan(id.repeat(16))))).toBe(200);
    expect(sink.problems()).toEqual([expect.stringMatching(/2 transactions instead of one/)]);
  });

  it('takes an error outside a trace, and one with the name of its transaction', async () => {
    await using sink = await startSentrySink();
    expect(await post(sink, envelope(transaction))).toBe(200);
    expect(await post(sink, envelope(thrown, 'event'))).toBe(200);
    const named = { ...thrown, transaction: transaction.transaction, contexts: { trace: ids } };
    expect(await post(sink, envelope(named, 'event'))).toBe(200);
    expect(sink.problems()).toEqual([]);
  });

  it('refuses an error without an exception', async () => {
    await using sink = await startSentrySink();
    const error = { event_id: EVENT_ID, timestamp: 1, level: 'error', platform: 'node', contexts: { trace: ids } };
    expect(await post(sink, envelope(error, 'event'))).toBe(400);
    expect(sink.problems().join()).toMatch(/exception.values is empty/);
  });
});

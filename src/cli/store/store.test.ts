import { afterAll, beforeAll, expect, it } from 'vitest';
import { batchOfExemplar, startStore, type RunningStore } from '../../../tests/support/components/running-store.ts';
import { batchOfLogs } from '../../../tests/support/otlp/otlp-logs.ts';
import { batchOfSpans, spanId, TRACE_ID } from '../../../tests/support/otlp/otlp-spans.ts';
import { runCommand, type Ran } from '../../../tests/support/processes/run-command.ts';

const START = 1_800_000_000_000_000_000n;
const MS = 1_000_000n;
const ESCAPE = '\u001B';

const exception = { 'exception.type': 'DatabaseError', 'exception.message': `deadlock ${ESCAPE}[31mdetected` };
const stack = { 'exception.stacktrace': 'DatabaseError: deadlock\n    at Client.query (/app/db.js:3:9)' };

let running: RunningStore;

beforeAll(async () => {
  running = await startStore();
  const { store } = running;
  const events = [{ name: 'exception', attributes: { ...exception, ...stack } }];
  const at = (ms: bigint, durationMs: bigint) => ({
    startTimeUnixNano: START + ms * MS,
    durationNano: durationMs * MS,
  });
  const query = { name: 'SELECT orders for all the shops of the roaster', kind: 'client' as const, ...at(5n, 20n) };
  await store.consume(
    batchOfSpans([
      { spanId: spanId(3), parentSpanId: spanId(1), name: 'validate', ...at(1n, 3n) },
      { spanId: spanId(2), parentSpanId: spanId(1), statusMessage: 'failed', events, ...query },
      // The error passes through the span around it.
      { spanId: spanId(1), name: 'GET /orders/:id', kind: 'server', statusMessage: '', events, ...at(0n, 30n) },
      { spanId: spanId(7), parentSpanId: spanId(99), name: 'lost', ...at(6n, 2n) },
      // Each is the parent of the other.
      { spanId: spanId(8), parentSpanId: spanId(9), name: 'circle', ...at(7n, 1n) },
      { spanId: spanId(9), parentSpanId: spanId(8), name: 'line', ...at(8n, 1n) },
    ]),
  );
  const line = { traceId: TRACE_ID, spanId: spanId(2), timeUnixNano: START + 24n * MS, attributes: { order: 5 } };
  await store.consume(
    batchOfLogs([
      { ...line, body: 'order 5\nfailed', severity: 17, attributes: { order: 5, ...exception } },
      { body: 'asked', traceId: TRACE_ID, spanId: spanId(1), timeUnixNano: START + 2n * MS },
    ]),
  );
  await store.consume(batchOfExemplar('http.server.request.duration', TRACE_ID, spanId(1), 0.03));
});

afterAll(async () => await running[Symbol.asyncDispose]());

async function siphon(...args: readonly string[]): Promise<Ran> {
  return await runCommand([...args, '--url', running.url]);
}

it('shows a trace as a waterfall in eighty columns, with errors and log lines in place, each error once', async () => {
  const { printed, exitCode } = await siphon('trace', TRACE_ID.slice(0, 6));
  expect(exitCode).toBe(0);
  expect(printed.split('\n')).toEqual([
    `Trace ${TRACE_ID}`,
    'coffee  GET /orders/:id',
    '2027-01-15 08:00:00.000Z  30.0 ms  6 spans, 2 failed, 1 error, 2 log lines',
    '',
    '    0 µs   30.0 ms  ━━━━━━━━━━━━━━━━ ✗ GET /orders/:id  (coffee, server)',
    ' 1.00 ms   3.00 ms   ━                 validate',
    ' 2.00 ms             ·                 INFO asked',
    ' 5.00 ms   20.0 ms     ━━━━━━━━━━      ✗ SELECT orders for all the shops of the…',
    '                                         failed',
    '                                         DatabaseError: deadlock \u{FFFD}[31mdetected',
    '                                           at Client.query (/app/db.js:3:9)',
    ' 24.0 ms                         ·       ERROR order 5 failed',
    expect.stringMatching(/^ 6.00 ms +2.00 ms +━ +lost {2}\(coffee, internal, below 0+…$/),
    expect.stringMatching(/ circle {2}\(coffee, internal\)$/),
    expect.stringMatching(/ line$/),
  ]);
  for (const text of printed.split('\n')) expect(Array.from(text).length).toBeLessThanOrEqual(80);
});

it('lists traces, log lines and exemplars', async () => {
  const [traces, logs, exemplars] = await Promise.all([
    siphon('traces', '--service', 'coffee', '--status', 'error', '--min-duration', '10ms'),
    siphon('logs', '--trace', TRACE_ID, '--severity', 'error'),
    siphon('exemplars', 'http_server_request_duration_seconds'),
  ]);
  expect(traces.printed.split('\n')).toEqual([
    'TRACE             START     DURATION  SPANS  FAILED  SERVICE  NAME',
    '0af7651916cd43dd  08:00:00   30.0 ms      6       2  coffee  GET /orders/:id',
  ]);
  expect(logs.printed.split('\n')).toEqual([
    `2027-01-15 08:00:00.024Z ERROR coffee order 5  order=5  trace=${TRACE_ID}`,
    '    failed',
    '    DatabaseError: deadlock \u{FFFD}[31mdetected',
  ]);
  expect(exemplars.printed).toMatch(
    /^http.server.request.duration\n {4}VALUE {2}TIME {6}TRACE {13}SPAN\n {2}30.0 ms {2}[\d:]{8} {2}0af7651916cd43dd {2}✗ coffee {2}GET \/orders\/:id$/,
  );
});

it('lists exceptions in groups, with the newest stack and the traces', async () => {
  const { printed, exitCode } = await siphon('errors', '--service', 'coffee');
  expect(exitCode).toBe(0);
  const seen = '(first 08:00:00, last 08:00:00)';
  expect(printed.split('\n')).toEqual([
    `1×  coffee  DatabaseError: deadlock \u{FFFD}[31mdetected  ${seen}`,
    '    DatabaseError: deadlock',
    '    at Client.query (/app/db.js:3:9)',
    `    traces ${TRACE_ID}`,
  ]);
  const { printed: json } = await siphon('errors', '--json');
  expect(JSON.parse(json)).toMatchObject({ type: 'DatabaseError', count: 1, traces: [TRACE_ID] });
});

it('reports that no exception fits, and a name that no exception has', async () => {
  expect((await siphon('errors', '--since', '2127-01-01T00:00:00Z')).errors).toBe('no exception fits');
  expect(await siphon('errors', '--service', 'cofee')).toMatchObject({
    printed: '',
    errors: 'the store has no service cofee (did you mean coffee?)',
  });
});

it('reports that a limit has left out others', async () => {
  await using crowded = await startStore();
  const { store, url } = crowded;
  const traceIds = ['a', 'b', 'c'].map((digit) => digit.repeat(32));
  await store.consume(batchOfSpans(traceIds.map((traceId, n) => ({ traceId, spanId: spanId(n + 1), name: 'GET' }))));
  await store.consume(batchOfLogs(traceIds.map((body) => ({ body }))));
  for (const [n, traceId] of traceIds.entries()) {
    await store.consume(batchOfExemplar('orders', traceId, spanId(n + 1), n));
  }
  for (const [command, lines] of [
    ['traces', 1],
    ['logs', 0],
    ['exemplars orders', 2],
  ] as const) {
    const list = async (limit: number): Promise<Ran> =>
      await runCommand([...command.split(' '), '--limit', String(limit), '--url', url]);
    const cut = await list(2);
    expect(cut.printed.split('\n'), command).toHaveLength(lines + 2);
    expect(cut.errors, command).toContain('There are more: a higher limit shows them');
    const whole = await list(3);
    expect(whole.printed.split('\n'), command).toHaveLength(lines + 3);
    expect(whole.errors, command).toBe('');
  }
});

it('prints JSON, one line for each item', async () => {
  const { printed } = await siphon('logs', '--json');
  expect(printed.split('\n').map((text) => JSON.parse(text).body)).toEqual(['asked', 'order 5\nfailed']);
  expect(JSON.parse((await siphon('trace', TRACE_ID, '--json')).printed)).toMatchObject({ spanCount: 6, logCount: 2 });
});

it('reports names that do not exist, wrong ids and wrong options', async () => {
  expect(await siphon('traces', '--service', 'cofee')).toEqual({
    exitCode: 0,
    printed: '',
    errors: 'the store has no service cofee (did you mean coffee?)',
  });
  expect((await siphon('exemplars', 'other')).errors).toBe(
    'the store has no exemplars of other; it has those of http.server.request.duration',
  );
  expect(await siphon('trace', 'beef')).toMatchObject({
    exitCode: 1,
    errors: expect.stringContaining('not in the store'),
  });
  expect(await siphon('trace', 'xyz')).toMatchObject({
    exitCode: 2,
    errors: expect.stringContaining('32 hexadecimal'),
  });
  const wrong = await siphon('traces', '--min-duration', 'abc');
  expect(wrong).toMatchObject({ exitCode: 2, errors: expect.stringContaining('--min-duration must be a duration') });
});

it('reports that the sidecar does not run, and that the configuration has no store', async () => {
  const stopped = await runCommand(['traces', '--url', 'http://127.0.0.1:1']);
  expect(stopped.exitCode).toBe(1);
  expect(stopped.errors).toMatch(/^no sidecar answers at http:\/\/127\.0\.0\.1:1: .*\nStart one with 'siphon run'/);
  const config =
    'yaml:{receivers: {otlp: {protocols: {http: }}}, exporters: {debug: }, service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}}';
  const without = await runCommand(['traces', '--config', config]);
  expect(without.errors).toMatch(/^the configuration has no telemetry_store in a pipeline\nAdd telemetry_store/);
});

import { expect, it } from 'vitest';
import { batchOfLogs } from '../../../../tests/support/otlp/otlp-logs.ts';
import { batchOfSpans, spanId, TRACE_ID, type SpanDraft } from '../../../../tests/support/otlp/otlp-spans.ts';
import { batchOfExemplar, startStore } from '../../../../tests/support/components/running-store.ts';

const START = 1_800_000_000_000_000_000n;
const MS = 1_000_000n;

const order: readonly SpanDraft[] = [
  {
    spanId: spanId(2),
    parentSpanId: spanId(1),
    name: 'SELECT orders',
    kind: 'client',
    startTimeUnixNano: START + 5n * MS,
    durationNano: 20n * MS,
    attributes: { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT * FROM orders WHERE id = $1' },
    statusMessage: 'deadlock detected',
    events: [{ name: 'exception', attributes: { 'exception.type': 'DatabaseError', 'exception.message': 'deadlock' } }],
  },
  {
    spanId: spanId(1),
    name: 'GET /orders/:id',
    kind: 'server',
    startTimeUnixNano: START,
    durationNano: 30n * MS,
    attributes: { 'http.route': '/orders/:id', 'http.response.status_code': 500, sampled: true, ratio: 0.25 },
  },
];

function traceId(number: number): string {
  return number.toString(16).padStart(32, '0');
}

it('returns a trace with its events and its log records, in the order of time', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  await store.consume(batchOfSpans(order));
  const record = { body: 'order failed', traceId: TRACE_ID, spanId: spanId(2), severity: 17, timeUnixNano: START + 9n };
  await store.consume(batchOfLogs([record, { body: 'elsewhere', traceId: traceId(9) }]));
  const { status, body } = await ask(`/api/traces/${TRACE_ID}`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ traceId: TRACE_ID, spanCount: 2, logCount: 1 });
  expect(body.spans[0]).toMatchObject({
    spanId: spanId(1),
    name: 'GET /orders/:id',
    kind: 'server',
    service: 'coffee',
    startTimeUnixNano: String(START),
    durationMs: 30,
    status: { code: 'unset' },
    attributes: { 'http.route': '/orders/:id', 'http.response.status_code': 500, sampled: true, ratio: 0.25 },
    resource: { 'service.name': 'coffee', 'telemetry.sdk.language': 'nodejs' },
  });
  expect(body.spans[1]).toMatchObject({
    parentSpanId: spanId(1),
    status: { code: 'error', message: 'deadlock detected' },
    attributes: { 'db.query.text': 'SELECT * FROM orders WHERE id = $1' },
    events: [
      {
        name: 'exception',
        timeUnixNano: String(START + 6n * MS),
        attributes: { 'exception.type': 'DatabaseError', 'exception.message': 'deadlock' },
      },
    ],
  });
  expect(body.logs).toMatchObject([{ body: 'order failed', spanId: spanId(2), severityNumber: 17, service: 'coffee' }]);
});

it('finds a trace by the first digits of its id, and reports what is wrong with others', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  await store.consume(batchOfSpans(order));
  await store.consume(
    batchOfSpans([1, 2].map((n) => ({ spanId: spanId(n), traceId: `abcdef${traceId(n).slice(6)}` }))),
  );
  expect((await ask(`/api/traces/${TRACE_ID.slice(0, 7).toUpperCase()}`)).body.traceId).toBe(TRACE_ID);
  expect((await ask('/api/traces/abcdef')).body.error).toMatch(
    /^several traces begin with abcdef: abcdef0\d+1, abcdef0\d+2$/,
  );
  expect(await ask(`/api/traces/${traceId(77)}`)).toEqual({
    status: 404,
    body: { error: `trace ${traceId(77)} is not in the store: it was not sent, or is evicted` },
  });
  await store.consume(batchOfSpans([{ spanId: spanId(1), traceId: '00'.repeat(9) + '26592c9ca63851' }]));
  expect((await ask('/api/traces/26592c9ca63851')).body.spanCount, 'an id of 64 bits').toBe(1);
  for (const wrong of ['xyz', '12', `${TRACE_ID}0`]) expect((await ask(`/api/traces/${wrong}`)).status).toBe(400);
});

it('finds traces by what their spans have in common', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  await store.consume(batchOfSpans(order));
  const fast = { spanId: spanId(5), traceId: traceId(5), name: 'GET /menu', startTimeUnixNano: START + 1000n * MS };
  await store.consume(batchOfSpans([{ ...fast, attributes: { 'http.route': '/menu' } }], 'menu'));
  const found = async (query: string): Promise<string[]> => {
    const { body } = await ask(`/api/traces?${query}`);
    return body.traces.map(({ name }: { name: string }) => name);
  };
  expect(await found('')).toEqual(['GET /menu', 'GET /orders/:id']);
  expect(await found('limit=1')).toEqual(['GET /menu']);
  expect(await found('service=coffee')).toEqual(['GET /orders/:id']);
  expect(await found('service=c*')).toEqual(['GET /orders/:id']);
  expect(await found('operation=SELECT orders')).toEqual(['GET /orders/:id']);
  expect(await found('status=error')).toEqual(['GET /orders/:id']);
  expect(await found('min_duration=25ms')).toEqual(['GET /orders/:id']);
  expect(await found('max_duration=25ms')).toEqual(['GET /menu']);
  expect(await found('attribute=http.response.status_code=500')).toEqual(['GET /orders/:id']);
  expect(await found('attribute=http.route=/menu&attribute=service.name=menu')).toEqual(['GET /menu']);
  // One span must fit all.
  expect(await found('status=error&attribute=http.route=/orders/:id')).toEqual([]);
  expect(await found(`since=${new Date(Number((START + 500n * MS) / MS)).toISOString()}`)).toEqual(['GET /menu']);
  const { body } = await ask('/api/traces?status=error');
  expect(body.traces[0]).toMatchObject({
    traceId: TRACE_ID,
    service: 'coffee',
    durationMs: 30,
    spans: 2,
    failedSpans: 1,
    hasRoot: true,
    fitting: { spanId: spanId(2), name: 'SELECT orders', durationMs: 20 },
  });
});

it('counts a span once that was sent twice', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  for (let i = 0; i < 2; i++) await store.consume(batchOfSpans(order));
  expect((await ask('/api/traces')).body.traces).toMatchObject([{ spans: 2, failedSpans: 1 }]);
  expect((await ask(`/api/traces/${TRACE_ID}`)).body).toMatchObject({ spanCount: 2 });
});

it('finds log records by trace, service, severity and text', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  await store.consume(
    batchOfLogs([
      { body: 'first', traceId: TRACE_ID, spanId: spanId(1), timeUnixNano: START },
      { body: 'Pump is DRY', severity: 13, attributes: { pump: 3 }, timeUnixNano: START + 1n * MS },
    ]),
  );
  await store.consume(batchOfLogs([{ body: 'no table', severity: 17, timeUnixNano: START + 2n * MS }], 'menu'));
  const found = async (query: string): Promise<string[]> => {
    const { body } = await ask(`/api/logs?${query}`);
    return body.logs.map((log: { body: string }) => log.body);
  };
  expect(await found('')).toEqual(['first', 'Pump is DRY', 'no table']);
  expect(await found('limit=2')).toEqual(['Pump is DRY', 'no table']);
  expect(await found(`trace=${TRACE_ID}`)).toEqual(['first']);
  expect(await found('service=menu')).toEqual(['no table']);
  expect(await found('severity=warn')).toEqual(['Pump is DRY', 'no table']);
  expect(await found('severity=17')).toEqual(['no table']);
  expect(await found('text=dry')).toEqual(['Pump is DRY']);
  expect(await found('attribute=pump=3')).toEqual(['Pump is DRY']);
});

it('reports what arrives after a query', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  await store.consume(batchOfSpans(order));
  const { next } = (await ask('/api/traces')).body;
  expect((await ask(`/api/traces?after=${next}`)).body.traces).toEqual([]);
  await store.consume(batchOfSpans([{ spanId: spanId(8), traceId: traceId(8), name: 'late' }]));
  expect((await ask(`/api/traces?after=${next}`)).body.traces).toMatchObject([{ name: 'late' }]);
});

it('names the nearest name when nothing is found', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  await store.consume(batchOfSpans(order));
  expect((await ask('/api/traces?service=cofee')).body.hint).toBe(
    'the store has no service cofee (did you mean coffee?)',
  );
  expect((await ask('/api/traces?attribute=http.rute=x')).body.hint).toContain('(did you mean http.route?)');
  expect((await ask('/api/traces?service=coffee&min_duration=1h')).body.hint).toBeUndefined();
  expect(await ask('/api/traces?sevice=coffee')).toEqual({
    status: 400,
    body: { error: 'unknown parameter: sevice (did you mean service?)' },
  });
  expect((await ask('/api/logs?severity=erro')).body.error).toContain('(did you mean error?)');
});

it('shows the exemplars of a metric with their spans, by both names of the metric', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  await store.consume(batchOfExemplar('http.server.request.duration', TRACE_ID, spanId(1)));
  await store.consume(batchOfExemplar('http.server.request.duration', traceId(3), spanId(3), 0.5));
  await store.consume(batchOfSpans(order));
  for (const name of ['http.server.request.duration', 'http_server_request_duration_seconds_bucket']) {
    const { body } = await ask(`/api/exemplars?metric=${name}`);
    expect(body).toMatchObject({ metric: 'http.server.request.duration', unit: 's' });
    const found = body.exemplars.find((exemplar: { traceId: string }) => exemplar.traceId === TRACE_ID);
    expect(found).toMatchObject({ spanId: spanId(1), value: 1.5, span: { name: 'GET /orders/:id' } });
    expect(
      body.exemplars.find((exemplar: { traceId: string }) => exemplar.traceId === traceId(3)).span,
    ).toBeUndefined();
  }
  expect((await ask('/api/exemplars')).body).toEqual({ metrics: ['http.server.request.duration'] });
  const { status, body } = await ask('/api/exemplars?metric=http.server.request.durration');
  expect(`${status} ${body.error}`).toContain(
    '404 the store has no exemplars of http.server.request.durration (did you mean',
  );
});

it('answers only its own host names', async () => {
  await using started = await startStore({ allowed_hosts: ['store.internal'] });
  const { hostname, port } = new URL(started.url);
  const { request } = await import('node:http');
  const statusFor = async (host: string): Promise<number | undefined> =>
    await new Promise((resolve, reject) => {
      const sent = request({ hostname, port, path: '/api/traces', headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject).end();
    });
  expect(await statusFor(`localhost:${port}`)).toBe(200);
  expect(await statusFor('[::1]:80')).toBe(200);
  expect(await statusFor('STORE.internal')).toBe(200);
  expect(await statusFor(`evil.example:${port}`)).toBe(421);
  expect((await fetch(`${started.url}/api/traces`, { method: 'POST' })).status).toBe(405);
  expect((await fetch(`${started.url}/`)).status).toBe(404);
});

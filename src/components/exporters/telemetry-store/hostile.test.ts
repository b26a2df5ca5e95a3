import { expect, it } from 'vitest';
import { batchOfLogs } from '../../../../tests/support/otlp/otlp-logs.ts';
import { batchOfSpans, spanId, TRACE_ID } from '../../../../tests/support/otlp/otlp-spans.ts';
import { startStore } from '../../../../tests/support/components/running-store.ts';

const SECRET = 'hunter2';

it('keeps no secrets, personal attributes and values of queries', async () => {
  await using started = await startStore({ deny_attributes: ['app.internal.*'] });
  const { store, ask } = started;
  const attributes = {
    'db.password': SECRET,
    'url.full': `https://user:${SECRET}@shop.example/a?token=${SECRET}&b=1`,
    'url.query': `token=${SECRET}`,
    'url.path': `/reset/a8f3${SECRET}b7d2e9c4/done`,
    'client.address': SECRET,
    'app.internal.note': SECRET,
    'db.query.text': `SELECT "name" FROM users WHERE password = '${SECRET}' AND id = 5`,
    'db.system.name': 'postgresql',
    note: 'plain',
  };
  const span = {
    spanId: spanId(1),
    name: `GET https://user:${SECRET}@shop.example/`,
    statusMessage: `https://user:${SECRET}@shop.example/ failed`,
    attributes,
    events: [
      { name: 'exception', attributes: { 'exception.message': `https://u:${SECRET}@x.example/`, token: SECRET } },
    ],
  };
  // The second time, the store has seen all of it.
  for (let i = 0; i < 2; i++) {
    await store.consume(batchOfSpans([{ ...span, spanId: spanId(i + 1) }], `https://me:${SECRET}@service.example`));
    await store.consume(
      batchOfLogs([{ body: `sent to https://user:${SECRET}@shop.example/`, traceId: TRACE_ID, attributes }]),
    );
  }
  const { body } = await ask(`/api/traces/${TRACE_ID}`);
  expect(body).toMatchObject({ spanCount: 2, logCount: 2 });
  expect(JSON.stringify(body)).not.toContain(SECRET);
  for (const item of [...body.spans, ...body.logs]) {
    expect(item.attributes).toEqual({
      'db.password': '[Filtered]',
      'url.full': 'https://[Filtered]@shop.example/a?token=[Filtered]&b=1',
      'url.query': 'token=[Filtered]',
      'url.path': '/reset/[Filtered]/done',
      'db.query.text': 'SELECT "name" FROM users WHERE password = ? AND id = ?',
      'db.system.name': 'postgresql',
      note: 'plain',
    });
  }
  expect((await ask(`/api/traces?attribute=db.password=${SECRET}`)).body.traces).toEqual([]);
});

it('keeps no secret of any text, wherever it is', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  const texts = [
    `login failed: password=${SECRET}`,
    `login failed password=${SECRET}`,
    `Authorization: Bearer ${SECRET}1111`,
    `{"api_key": "${SECRET}"}`,
    `Error: token=${SECRET}\n    at a (/app/a.js:1:2)`,
    `GET /cb?code=${SECRET}`,
    `GET /sessions/a8f3${SECRET}b7d2e9c4`,
    `${'x'.repeat(4085)} a://u:${SECRET}@h`,
  ];
  for (const [i, text] of texts.entries()) {
    const attributes = { note: text, 'exception.message': text, 'exception.stacktrace': text };
    const span = { spanId: spanId(i + 1), name: text, statusMessage: text, attributes };
    await store.consume(batchOfSpans([{ ...span, events: [{ name: text, attributes }] }], text));
    await store.consume(batchOfLogs([{ body: text, traceId: TRACE_ID, attributes }], text));
  }
  await store.consume(batchOfSpans([{ spanId: spanId(9), name: `SELECT a FROM t WHERE b = '${SECRET}'` }]));
  const { body } = await ask(`/api/traces/${TRACE_ID}`);
  expect(body).toMatchObject({ spanCount: texts.length + 1, logCount: texts.length });
  // A part of it does not pass either.
  expect(JSON.stringify(body)).not.toContain('hunt');
  expect(body.spans[0].events[0].attributes['exception.message']).toBe('login failed: password=[Filtered]');
});

it('does not take the text of one database for that of another', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  // Double quotes surround names in PostgreSQL, and texts in MySQL.
  const query = `SELECT id FROM users WHERE "${SECRET}" = name`;
  for (const [i, system] of ['postgresql', 'mysql', 'postgresql'].entries()) {
    const attributes = { 'db.query.text': query, 'db.system.name': system };
    await store.consume(batchOfSpans([{ spanId: spanId(i + 1), attributes }]));
  }
  const { body } = await ask(`/api/traces/${TRACE_ID}`);
  const texts = body.spans.map((span: { attributes: Record<string, string> }) => span.attributes['db.query.text']);
  expect(texts.toSorted()).toEqual([query, query, 'SELECT id FROM users WHERE ? = name']);
});

it('drops spans without valid ids, and reports that to their sender', async () => {
  await using started = await startStore();
  const { store, ask, page, balance } = started;
  const good = { spanId: spanId(1) };
  const wrong = [
    { spanId: '00' },
    { spanId: spanId(0) },
    { spanId: spanId(2), traceId: '00'.repeat(16) },
    { spanId: spanId(2), traceId: 'abcd' },
  ];
  const answer = await store.consume(batchOfSpans([good, ...wrong]));
  expect(answer).toEqual({ rejectedItems: 4, message: 'the store keeps only spans with valid ids' });
  expect((await ask('/api/traces')).body.traces).toMatchObject([{ spans: 1 }]);
  expect(await page()).toMatch(/siphon_store_dropped_items\{.*reason="invalid_ids".*\} 4/);
  expect(balance().dropped).toEqual({ invalid_ids: 4 });
  // A record with a wrong id is a record without a trace.
  await store.consume(batchOfLogs([{ body: 'line', traceId: 'abcd', spanId: 'ef' }]));
  expect((await ask('/api/logs')).body.logs[0]).not.toHaveProperty('traceId');
});

it('cuts lines, stack traces and lists that are too long, and counts that', async () => {
  await using started = await startStore({ max_size_mib: 4 });
  const { store, ask, page } = started;
  await store.consume(batchOfLogs([{ body: 'x'.repeat(1024 * 1024), traceId: TRACE_ID }]));
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key${i}`, i]));
  const events = Array.from({ length: 500 }, (_, i) => ({ name: `event${i}`, attributes: many }));
  await store.consume(batchOfSpans([{ spanId: spanId(1), attributes: many, events, name: 'n'.repeat(100_000) }]));
  const { body } = await ask(`/api/traces/${TRACE_ID}`);
  expect(body.logs[0].body).toMatch(/^x{16384}… \[cut\]$/);
  expect(Object.keys(body.spans[0].attributes)).toHaveLength(128);
  expect(body.spans[0].name).toHaveLength(4096);
  expect(body.spans[0].events.length).toBeGreaterThan(3);
  expect(body.spans[0].events.length).toBeLessThan(128);
  expect(Number(/siphon_store_cut_parts\{.*\} (\d+)/.exec(await page())?.[1])).toBeGreaterThan(1000);
});

it('holds a trace of 50,000 spans, and answers with a part of it', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  for (let first = 0; first < 50_000; first += 5000) {
    const spans = Array.from({ length: 5000 }, (_, i) => ({ spanId: spanId(first + i + 1), parentSpanId: spanId(1) }));
    await store.consume(batchOfSpans(spans));
  }
  const { body } = await ask(`/api/traces/${TRACE_ID}`);
  expect(body.spanCount).toBe(50_000);
  expect(body.spans).toHaveLength(10_000);
});

it('shows times as they were sent, also when a clock was set back', async () => {
  await using started = await startStore();
  const { store, ask } = started;
  const startTimeUnixNano = BigInt(Date.now() + 86_400_000) * 1_000_000n;
  await store.consume(batchOfSpans([{ spanId: spanId(1), startTimeUnixNano, durationNano: -5_000_000n }]));
  await store.consume(
    batchOfSpans([{ spanId: spanId(2), traceId: 'ab'.repeat(16), startTimeUnixNano: 0n, durationNano: 0n }]),
  );
  const { body } = await ask(`/api/traces/${TRACE_ID}`);
  expect(body.spans[0]).toMatchObject({ startTimeUnixNano: String(startTimeUnixNano), durationMs: -5 });
  expect((await ask('/api/traces')).body.traces).toHaveLength(2);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { gaugeBatch } from '../../../../tests/support/components/batches.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { batchOfLogs } from '../../../../tests/support/otlp/otlp-logs.ts';
import { batchOfSpans, spanId, TRACE_ID } from '../../../../tests/support/otlp/otlp-spans.ts';
import type { Consumer, TelemetryBatch } from '../../../engine/component.ts';
import { Taps } from '../../../engine/pipeline/taps.ts';
import { TapApi } from './tap-api.ts';

const SECRET = 'p4ssw0rd';

function tapped(configuration?: unknown) {
  const taps = new Taps();
  const end: Consumer = { consume: async () => await Promise.resolve() };
  const edge = taps.through('traces', 0, end);
  const pipelines = [{ id: 'traces', receivers: ['otlp'], processors: [], exporters: ['debug'] }];
  const host = {
    ...hostWith(),
    watch: taps.watch.bind(taps),
    running: () => ({ extensions: [], pipelines }),
    configuration: () => configuration,
  };
  const stopping = new AbortController();
  const api = new TapApi(host, stopping.signal);
  const ask = async (query = 'pipeline=traces&edge=0', hasRoom = () => true) =>
    await api.answer('/api/tap', new URLSearchParams(query), hasRoom);
  const sample = async (...batches: readonly TelemetryBatch[]) => {
    const asked = ask();
    for (const batch of batches) await edge.consume(batch);
    const { status, body } = await asked;
    expect(status).toBe(200);
    return { body, ...(JSON.parse(body) as { batches: number; items: number; shown: any[] }) }; // oxlint-disable-line typescript/no-explicit-any -- as JSON
  };
  return { ask, sample, stop: () => stopping.abort() };
}

it('shows spans, points and log records without secrets, and counts the rest', { timeout: 20_000 }, async () => {
  const { sample } = tapped({ exporters: { sentry: { deny_attributes: ['cart.*'] }, debug: null } });
  const span = {
    traceId: TRACE_ID,
    spanId: spanId(1),
    name: `select * from users where name = '${SECRET}'`,
    attributes: {
      'http.request.header.authorization': `Bearer ${SECRET}`,
      'user.email': SECRET,
      'cart.note': SECRET,
      'db.query.text': `select '${SECRET}'`,
      'url.full': `http://user:${SECRET}@host/`,
      'http.route': '/cart',
    },
    events: [{ name: 'exception', attributes: { 'exception.message': `password=${SECRET}` } }],
  };
  const { body, batches, items, shown } = await sample(
    batchOfSpans([span]),
    batchOfLogs([{ body: `password=${SECRET}`, attributes: { password: SECRET } }]),
    gaugeBatch([1.5]),
    batchOfSpans(Array.from({ length: 500 }, (_, i) => ({ ...span, spanId: spanId(i + 2) }))),
  );
  expect(body).not.toContain(SECRET);
  expect([batches, items, shown.length]).toEqual([4, 503, 3 + 5]);
  expect(shown[0]).toMatchObject({ type: 'Span', trace_id: TRACE_ID, attributes: { 'http.route': '/cart' } });
  expect(shown[0].attributes).not.toHaveProperty('cart.note');
  expect(shown[1]).toMatchObject({ type: 'LogRecord', attributes: { password: '[Filtered]' } });
  expect(shown[2]).toMatchObject({ type: 'NumberDataPoint', as_double: 1.5 });
});

it('does not show a part of an item that is too large', { timeout: 20_000 }, async () => {
  const { shown } = await tapped().sample(
    batchOfSpans([{ traceId: TRACE_ID, spanId: spanId(1), name: 'large', attributes: { a: 'x'.repeat(20_000) } }]),
  );
  expect(shown).toEqual([{ type: 'Span', bytes: expect.any(Number), note: 'too large to show' }]);
});

it('names the edges that exist, and does not let too many wait', async () => {
  const { ask, stop } = tapped();
  expect(await ask('pipeline=traces&edge=1')).toEqual({
    status: 404,
    body: expect.stringContaining('edges from 0 to 0'),
  });
  expect((await ask('pipeline=nope')).body).toContain('must be one of traces');
  const waiting = Array.from({ length: 4 }, async () => await ask());
  expect(await ask()).toMatchObject({ status: 503 });
  stop();
  const fromMs = performance.now();
  await Promise.all(waiting);
  expect(performance.now() - fromMs, 'the end of the sidecar ends samples').toBeLessThan(1000);
});

it('ends when its reader leaves', async () => {
  const { ask } = tapped();
  let isThere = true;
  const asked = ask(undefined, () => isThere);
  await sleep(100);
  isThere = false;
  const fromMs = performance.now();
  expect(await asked).toMatchObject({ status: 503 });
  expect(performance.now() - fromMs).toBeLessThan(1000);
});

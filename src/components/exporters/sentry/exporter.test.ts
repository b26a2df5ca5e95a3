import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import * as fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import type { Consumer, TelemetryBatch } from '../../../engine/component.ts';
import { startSentrySink } from '../../../../examples/sentry-sink/sentry-sink.ts';
import { sentryExporterConfig } from './config.ts';
import { child, root, sendAll, spansSentAndFailed, startExporter } from './exporter-under-test.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { waitFor } from '../../../../tests/support/wait-for.ts';
import { batchOfSpans, spanId, type SpanDraft } from '../../../../tests/support/otlp/otlp-spans.ts';

/** Does what a sender does. Resolves with how often the batch was refused. */
async function sendUntilAccepted(exporter: Consumer, batch: TelemetryBatch): Promise<number> {
  for (let refusals = 0; ; refusals++) {
    try {
      await exporter.consume(batch);
      return refusals;
    } catch (error) {
      expect(error).toMatchObject({ name: 'RetryableError', code: 'queue_full' });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

function thrown(message: string): NonNullable<SpanDraft['events']>[number] {
  return { name: 'exception', attributes: { 'exception.message': message } };
}

describe('the sentry exporter', () => {
  it('turns spans of the real SDK into one transaction and an error that is linked to its span', async () => {
    await using sink = await startSentrySink();
    const spans = new InMemorySpanExporter();
    const provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': 'coffee',
        'service.version': '1.2.0',
        'telemetry.sdk.language': 'nodejs',
      }),
      spanProcessors: [new SimpleSpanProcessor({ exporter: spans })],
    });
    const tracer = provider.getTracer('test');
    const outer = tracer.startSpan('A.2 fetch');
    const inner = tracer.startSpan(
      'GET',
      {
        kind: SpanKind.CLIENT,
        attributes: {
          'http.request.method': 'GET',
          'url.full': 'https://shop.test/p.json?key=1',
          'http.response.status_code': 404,
        },
      },
      trace.setSpan(ROOT_CONTEXT, outer),
    );
    inner.recordException(new TypeError('the store answered 404'));
    inner.setStatus({ code: SpanStatusCode.ERROR });
    inner.end();
    outer.end();
    await provider.forceFlush();
    const finished = spans.getFinishedSpans();

    const { exporter, stop } = await startExporter(sink.dsn, { environment: 'test' });
    const chunk = ProtobufTraceSerializer.serializeRequest(finished)!;
    await exporter.consume({ signal: 'traces', chunks: [chunk], itemCount: finished.length, sizeBytes: chunk.length });
    expect(await sink.waitFor(() => sink.transactions().length > 0 && sink.errors().length > 0, 5000)).toBe(true);
    await stop();

    const transaction = sink.transactions()[0]!;
    expect(transaction).toMatchObject({ transaction: 'A.2 fetch', environment: 'test', release: 'coffee@1.2.0' });
    expect(transaction.spans).toMatchObject([
      { op: 'http.client', description: 'GET https://shop.test/p.json', status: 'not_found' },
    ]);
    const error = sink.errors()[0]!;
    expect(error.contexts?.trace).toMatchObject({
      trace_id: outer.spanContext().traceId,
      span_id: inner.spanContext().spanId,
    });
    expect(error.exception.values[0]).toMatchObject({ type: 'TypeError', value: 'the store answered 404' });
    const frames = error.exception.values[0]!.stacktrace!.frames;
    expect(frames.at(-1)!.filename).toContain('exporter.test.ts');
    expect(sink.problems()).toEqual([]);
  });

  it('joins children that came in an earlier request to their root', async () => {
    await using sink = await startSentrySink();
    await sendAll(sink, [[child], [root]]);
    expect(sink.transactions().map((sent) => sent.spans.map((span) => span.span_id))).toEqual([[spanId(2)]]);
  });

  it('sends a child that arrives after its transaction as a separate transaction, and marks it', async () => {
    await using sink = await startSentrySink();
    const { exporter, stop } = await startExporter(sink.dsn);
    await exporter.consume(batchOfSpans([root]));
    await sink.waitFor(() => sink.transactions().length === 1, 5000);
    await exporter.consume(batchOfSpans([child]));
    await stop();
    expect(sink.transactions()[1]!.contexts.trace).toMatchObject({
      parent_span_id: spanId(1),
      data: { 'sentry.parent_span_already_sent': true },
    });
  });

  it('sends orphans when their time is over', async () => {
    await using sink = await startSentrySink();
    const { exporter, stop } = await startExporter(sink.dsn, {
      trace_buffer: { grace_period: '10ms', max_age: '50ms' },
    });
    await exporter.consume(batchOfSpans([child]));
    expect(await sink.waitFor(() => sink.transactions().length === 1, 5000)).toBe(true);
    await stop();
  });

  it('names an error after the root of its span, and does not invent whether it was handled', async () => {
    await using sink = await startSentrySink();
    const query = { 'db.system.name': 'postgresql', 'db.query.text': 'select secret' };
    const escaped = { name: 'exception', attributes: { 'exception.message': 'b', 'exception.escaped': true } };
    await sendAll(sink, [[root, { ...child, attributes: query, events: [thrown('a'), escaped] }]]);
    const byMessage = new Map(sink.errors().map((error) => [error.exception.values[0]!['value'], error]));
    expect(byMessage.get('a')).toMatchObject({ transaction: 'A.2 fetch' });
    expect(byMessage.get('a')!.exception.values[0]).toMatchObject({ mechanism: { type: 'otel.span_event' } });
    expect(byMessage.get('a')!.exception.values[0]).not.toMatchObject({ mechanism: { handled: true } });
    expect(byMessage.get('b')!.exception.values[0]).toMatchObject({ mechanism: { handled: false } });
  });

  it('sends the causes of an exception as exceptions of their own, the first cause first', async () => {
    await using sink = await startSentrySink();
    const stack =
      'Error: b\n    at price (/app/a.js:1:2) {\n  [cause]: TypeError: a\n      at parse (/app/b.js:3:4)\n}';
    const attributes = { 'exception.type': 'Error', 'exception.message': 'b', 'exception.stacktrace': stack };
    await sendAll(sink, [[{ ...root, events: [{ name: 'exception', attributes }] }]]);
    const chained = { type: 'chained', source: 'cause', exception_id: 1, parent_id: 0 };
    expect(sink.errors()[0]!.exception.values).toMatchObject([
      { type: 'TypeError', value: 'a', mechanism: chained, stacktrace: { frames: [{ function: 'parse' }] } },
      { type: 'Error', value: 'b', mechanism: { exception_id: 0 }, stacktrace: { frames: [{ function: 'price' }] } },
    ]);
    expect(sink.problems()).toEqual([]);
  });

  it('starts a transaction at a server span within the same trace', async () => {
    await using sink = await startSentrySink();
    await sendAll(sink, [[root, { ...child, kind: 'server' }]]);
    expect(sink.transactions()).toHaveLength(2);
  });

  it('counts spans that come again, and sends them once', async () => {
    await using sink = await startSentrySink();
    const { counts } = await sendAll(sink, [[root], [root]]);
    expect(sink.transactions()).toHaveLength(1);
    expect((await counts()).get('span duplicate')).toBe(1);
  });

  it('keeps a transaction below 1 MiB by cutting texts before it drops spans', { timeout: 60_000 }, async () => {
    await using sink = await startSentrySink();
    const children = Array.from({ length: 500 }, (_, index) => ({
      ...child,
      spanId: spanId(index + 2),
      attributes: { 'db.system.name': 'postgresql', 'db.query.text': 'select '.repeat(5000) },
    }));
    await sendAll(sink, [[root, ...children]], {});
    expect(sink.transactions()[0]!.spans).toHaveLength(500);
    expect(sink.problems()).toEqual([]);
  });

  it('keeps to a rate limit by category, and drops without trying', async () => {
    await using sink = await startSentrySink();
    const { exporter, counts, stop } = await startExporter(sink.dsn);
    sink.setFault({ status: 429, headers: { 'x-sentry-rate-limits': '60:transaction:organization' } });
    await exporter.consume(batchOfSpans([root]));
    await waitFor(async () => (await counts()).get('transaction rate_limited') === 1, { what: 'the refusal' });
    sink.setFault(undefined);
    const exception = { name: 'exception', attributes: { 'exception.type': 'E', 'exception.message': 'm' } };
    await exporter.consume(batchOfSpans([{ ...root, spanId: spanId(9), events: [exception] }]));
    await stop();
    expect(sink.transactions()).toEqual([]);
    expect(sink.errors()).toHaveLength(1);
    expect((await counts()).get('transaction rate_limited')).toBe(1);
    expect((await counts()).get('transaction ratelimit_backoff')).toBe(1);
    expect(sink.discards()).toContainEqual({ reason: 'ratelimit_backoff', category: 'transaction', quantity: 1 });
  });

  it('counts spans as sent when Sentry has taken them, not when it holds them itself', async () => {
    await using sink = await startSentrySink();
    const { exporter, counts, stop } = await startExporter(sink.dsn, { trace_buffer: { grace_period: '1h' } });
    await exporter.consume(batchOfSpans([root, child]));
    expect(await spansSentAndFailed(counts)).toEqual([0, 0]);
    await stop();
    expect(await spansSentAndFailed(counts)).toEqual([2, 0]);
  });

  it('makes one error event, of the innermost span, of an exception that is thrown through several', async () => {
    await using sink = await startSentrySink();
    const { counts } = await sendAll(sink, [
      [
        { ...root, events: [thrown('deep'), thrown('own')] },
        { ...child, events: [thrown('deep')] },
        { spanId: spanId(3), parentSpanId: spanId(2) },
        { spanId: spanId(4), parentSpanId: spanId(3), events: [thrown('deep')] },
        { spanId: spanId(5), parentSpanId: spanId(1), events: [thrown('attempt')] },
        { spanId: spanId(6), parentSpanId: spanId(1), events: [thrown('attempt'), thrown('attempt')] },
      ],
    ]);
    const errors = sink
      .errors()
      .map(({ contexts, exception }) => `${contexts?.trace?.span_id} ${exception.values[0]!.value}`);
    expect(errors.toSorted()).toEqual([
      `${spanId(1)} own`,
      `${spanId(4)} deep`,
      `${spanId(5)} attempt`,
      `${spanId(6)} attempt`,
      `${spanId(6)} attempt`,
    ]);
    expect((await counts()).get('error duplicate')).toBe(2);
  });

  it('tries again after a server error, with the same event id, until it is taken', async () => {
    await using sink = await startSentrySink();
    sink.setFault({ status: 500 });
    const { exporter, stop } = await startExporter(sink.dsn);
    await exporter.consume(batchOfSpans([root]));
    await sink.waitFor(() => sink.requests >= 2, 5000);
    sink.setFault(undefined);
    expect(await sink.waitFor(() => sink.transactions().length === 1, 5000)).toBe(true);
    await stop();
  });

  it('keeps envelopes on disk while Sentry is away, and sends them with their event id after a restart', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'siphon-sentry-'));
    await using sink = await startSentrySink();
    sink.setFault({ status: 500 });
    const host = hostWith({
      file_storage: { directory: () => Promise.resolve({ directory, maxBytes: 1e9, fsync: false }) },
    });
    const queue = { sending_queue: { storage: 'file_storage' } };
    const first = await startExporter(sink.dsn, { ...queue, retry_on_failure: { max_elapsed_time: '10ms', initial_interval: '5ms', max_interval: '5ms' } }, host); // prettier-ignore
    await first.exporter.consume(batchOfSpans([root, child]));
    await sink.waitFor(() => sink.requests >= 4, 5000);
    await first.exporter.shutdown(AbortSignal.timeout(1000));
    expect(first.balance()).toEqual({ accepted: 2, delivered: 0, waiting: 2, dropped: {}, difference: 0 });
    sink.setFault(undefined);
    const second = await startExporter(sink.dsn, queue, host);
    expect(await sink.waitFor(() => sink.transactions().length === 1, 5000)).toBe(true);
    expect(sink.transactions()[0]?.spans).toHaveLength(1);
    await second.stop();
    expect(second.balance()).toEqual({ accepted: 2, delivered: 2, waiting: 0, dropped: {}, difference: 0 });
    rmSync(directory, { recursive: true });
  });

  it('immediately drops an envelope that is too large for the server', async () => {
    await using sink = await startSentrySink();
    sink.setFault({ status: 413 });
    const { exporter, counts, stop } = await startExporter(sink.dsn);
    await exporter.consume(batchOfSpans([root]));
    await sink.waitFor(() => sink.requests === 1, 5000);
    sink.setFault(undefined);
    await stop();
    expect([(await counts()).get('transaction too_large'), (await counts()).get('span too_large')]).toEqual([1, 1]);
  });

  it('gives up at the deadline of shutdown, and counts what it lost', async () => {
    await using sink = await startSentrySink();
    sink.setFault({ status: 200, delayMs: 3000 });
    const { exporter, counts } = await startExporter(sink.dsn);
    await exporter.consume(batchOfSpans([root]));
    const begun = performance.now();
    await exporter.shutdown(AbortSignal.timeout(100));
    expect(performance.now() - begun).toBeLessThan(1500);
    expect((await counts()).get('span shutdown')).toBe(1);
    expect(await spansSentAndFailed(counts)).toEqual([0, 1]);
  });

  it('refuses a batch while its queue is full', async () => {
    await using sink = await startSentrySink();
    sink.setFault({ status: 200, delayMs: 400 });
    const { exporter, counts, stop } = await startExporter(sink.dsn, {
      sending_queue: { queue_size: 1, sizer: 'requests' },
    });
    await exporter.consume(batchOfSpans([root]));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(exporter.consume(batchOfSpans([child]))).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'queue_full',
    });
    expect((await counts()).get('otelcol_exporter_enqueue_failed_spans')).toBe(1);
    expect((await counts()).get('otelcol_exporter_queue_size')).toBe(1);
    await stop();
  });

  it('loses nothing of a burst that is larger than its queue, nor what it holds at shutdown', async () => {
    await using sink = await startSentrySink();
    const roots = Array.from({ length: 60 }, (_, index) => ({ ...root, traceId: spanId(index + 1).repeat(2) }));
    await sendAll(sink, [roots], {
      sending_queue: { queue_size: 10, sizer: 'requests' },
      trace_buffer: { grace_period: '1h', max_spans: 20 },
    });
    expect(new Set(sink.transactions().map(({ contexts }) => contexts.trace.trace_id)).size).toBe(60);
  });

  it('has a series for each drop to expect before the first, by what it is configured for', async () => {
    await using sink = await startSentrySink();
    expect(await zeros('')).toEqual(['span disabled', 'log_item disabled']);
    const on = await zeros(sink.dsn);
    expect(on).toEqual(expect.arrayContaining(['transaction network_error', 'span invalid_ids', 'error duplicate', 'log_item no_exception'])); // prettier-ignore
    expect(on.filter((key) => /disabled|no_project/.test(key))).toEqual([]);
    const projects = [{ match: ['off'], dsn: null }, { match: ['coffee'], dsn: sink.dsn }]; // prettier-ignore
    expect((await zeros('', { routing: { projects } })).filter((key) => /disabled|no_project/.test(key))).toEqual(
      expect.arrayContaining(['span disabled', 'span no_project', 'error disabled', 'error no_project']),
    );
  });

  it('is off without a DSN, logs that once, and counts what it discards', async () => {
    const { exporter, counts, lines, stop } = await startExporter('');
    await exporter.consume(batchOfSpans([root, child]));
    await stop();
    expect((await counts()).get('span disabled')).toBe(2);
    expect(await spansSentAndFailed(counts)).toEqual([0, 0]);
    expect(lines).toHaveLength(1);
  });

  it('bounds its queue by bytes, and takes no bound that the largest envelope does not fit into', () => {
    expect(v.parse(sentryExporterConfig, {}).sending_queue).toMatchObject({
      sizer: 'bytes',
      queueSize: 32 * 1024 * 1024,
    });
    const { issues } = v.safeParse(sentryExporterConfig, { sending_queue: { queue_size: 1000 } });
    expect(issues?.[0]?.message).toContain('below 1048576 bytes');
    expect(v.safeParse(sentryExporterConfig, { sending_queue: { queue_size: 1000, sizer: 'requests' } }).success).toBe(
      true,
    );
  });

  it('refuses batches while envelopes wait for bytes to become free in its queue', async () => {
    await using sink = await startSentrySink();
    sink.setFault({ status: 200, delayMs: 1500 });
    const { exporter, counts, stop } = await startExporter(sink.dsn, { sending_queue: { queue_size: 1024 * 1024 } });
    const attributes = { text: 'x'.repeat(400_000) };
    await exporter.consume(
      batchOfSpans([1, 2, 3].map((n) => ({ traceId: spanId(n).repeat(2), spanId: spanId(n), attributes }))),
    );
    let accepted = 3;
    for (let error: unknown; error === undefined; accepted += error === undefined ? 1 : 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      error = await exporter
        .consume(batchOfSpans([{ ...root, spanId: spanId(accepted + 1) }]))
        .catch((cause: unknown) => cause);
      if (error !== undefined) expect(error).toMatchObject({ code: 'queue_full' });
    }
    await stop();
    expect(await spansSentAndFailed(counts)).toEqual([accepted, 0]);
  });

  it('does not print a DSN that it cannot read', () => {
    const { issues } = v.safeParse(sentryExporterConfig, { dsn: 'https://topsecret@' });
    expect(issues).toHaveLength(1);
    expect(issues?.[0]?.message).not.toContain('topsecret');
  });

  it(
    'sends any set of spans, cut into any batches that come again when they are refused, each exactly once',
    { timeout: 60_000 },
    async () => {
      await using sink = await startSentrySink();
      let traces = 0;
      let refusals = 0;
      const anySpan = fc.record({
        id: fc.integer({ min: 1, max: 12 }),
        parent: fc.option(fc.integer({ min: 1, max: 14 })),
        kind: fc.constantFrom('internal', 'client', 'server', 'consumer'),
      });
      const roots = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => ({ id, parent: null, kind: 'server' as const }));
      const refused: [(typeof roots)[], number, boolean] = [[roots, roots, roots, roots], 1, false];
      const anySpans = fc.array(fc.array(anySpan, { maxLength: 8 }), { maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(anySpans, fc.integer({ min: 1, max: 10 }), fc.boolean(), async (drafts, maxSpans, blocks) => {
          const traceId = (++traces).toString(16).padStart(32, '0');
          const batches = drafts.map((spans) =>
            spans.map(({ id, parent, kind }) => ({
              traceId,
              spanId: spanId(id),
              kind,
              ...(parent === null ? {} : { parentSpanId: spanId(parent) }),
            })),
          );
          const { exporter, counts, stop } = await startExporter(sink.dsn, {
            trace_buffer: { grace_period: '0s', max_spans: maxSpans },
            sending_queue: { queue_size: 2, sizer: 'requests', block_on_overflow: blocks },
          });
          for (const spans of batches) refusals += await sendUntilAccepted(exporter, batchOfSpans(spans));
          await stop();
          const ofThisRun = sink.transactions().filter(({ contexts }) => contexts.trace.trace_id === traceId);
          const sent = ofThisRun.flatMap(({ transaction, contexts, spans }) =>
            (transaction === 'incomplete trace' ? spans : [contexts.trace, ...spans]).map((span) => span.span_id),
          );
          const given = batches.flat().map((span) => span.spanId);
          expect(sent.toSorted()).toEqual([...new Set(given)].toSorted());
          expect(sent.length + ((await counts()).get('span duplicate') ?? 0)).toBe(given.length);
          expect(await spansSentAndFailed(counts)).toEqual([sent.length, 0]);
        }),
        { numRuns: 60, examples: [refused] },
      );
      expect(refusals).toBeGreaterThan(0);
      // A full buffer sends children before their siblings have come.
      expect(sink.problems().filter((problem) => !problem.includes('below the missing span'))).toEqual([]);
    },
  );
});

/** The keys of the drops that nothing has counted yet. */
async function zeros(...settings: Parameters<typeof startExporter>): Promise<readonly string[]> {
  const { counts, stop } = await startExporter(...settings);
  const series = [...(await counts())].filter(([key, value]) => key.includes(' ') && value === 0);
  await stop();
  return series.map(([key]) => key);
}

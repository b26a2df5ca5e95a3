import { describe, expect, it } from 'vitest';
import { startSentrySink } from '../../../../examples/sentry-sink/sentry-sink.ts';
import { batchOfSpans, spanId, TRACE_ID } from '../../../../tests/support/otlp/otlp-spans.ts';
import { child, root, sendAll, spansSentAndFailed, startExporter } from './exporter-under-test.ts';

const SPANS = { protocol: 'spans' };

describe('protocol: spans', () => {
  it('sends spans with types and the name of their segment, and linked errors', async () => {
    await using sink = await startSentrySink();
    const attributes = { text: 'a', count: 1, share: 0.5, flag: true };
    const events = [{ name: 'exception', attributes: { 'exception.type': 'E', 'exception.message': 'm' } }];
    const { counts } = await sendAll(sink, [[{ ...child, attributes, events, statusMessage: 'refused' }, root]], SPANS);
    const [segment, inner] = sink.spans().toSorted((a, b) => a.span_id.localeCompare(b.span_id));
    expect(segment).toMatchObject({ name: 'A.2 fetch', is_segment: true, status: 'ok' });
    expect(inner).toMatchObject({ name: 'child', is_segment: false, status: 'error', parent_span_id: root.spanId });
    expect(inner!.attributes).toMatchObject({
      text: { type: 'string', value: 'a' },
      count: { type: 'integer', value: 1 },
      share: { type: 'double', value: 0.5 },
      flag: { type: 'boolean', value: true },
      'sentry.segment.name': { type: 'string', value: 'A.2 fetch' },
      'sentry.segment.id': { type: 'string', value: root.spanId },
      'sentry.status.message': { type: 'string', value: 'refused' },
      'service.name': { type: 'string', value: 'coffee' },
    });
    expect(sink.errors()).toMatchObject([{ transaction: 'A.2 fetch', contexts: { trace: { span_id: child.spanId } } }]);
    expect(sink.transactions()).toEqual([]);
    expect(await spansSentAndFailed(counts)).toEqual([2, 0]);
    expect([(await counts()).get('span'), (await counts()).get('transaction')]).toEqual([2, 0]);
    expect(sink.problems()).toEqual([]);
  });

  it('sends a trace of any size in requests of at most 1,000 spans and 1 MiB', { timeout: 60_000 }, async () => {
    await using sink = await startSentrySink();
    const attributes = { 'db.system.name': 'postgresql', 'db.query.text': `select ${'column, '.repeat(100)}` };
    const children = Array.from({ length: 1200 }, (_, index) => ({ ...child, spanId: spanId(index + 2), attributes }));
    const { counts } = await sendAll(sink, [[root, ...children]], SPANS);
    expect(new Set(sink.spans().map((span) => span.span_id)).size).toBe(1201);
    expect(await spansSentAndFailed(counts)).toEqual([1201, 0]);
    expect(sink.problems()).toEqual([]);
  });

  it('needs no root for the spans of a long job, and names the segment of late ones', async () => {
    await using sink = await startSentrySink();
    const { exporter, stop } = await startExporter(sink.dsn, {
      ...SPANS,
      trace_buffer: { grace_period: '10ms', max_age: '50ms' },
    });
    await exporter.consume(batchOfSpans([child]));
    expect(await sink.waitFor(() => sink.spans().length === 1, 5000)).toBe(true);
    expect(sink.spans()[0]!.attributes).not.toHaveProperty(['sentry.segment.id']);
    await exporter.consume(batchOfSpans([root]));
    expect(await sink.waitFor(() => sink.spans().length === 2, 5000)).toBe(true);
    await exporter.consume(batchOfSpans([{ ...child, spanId: spanId(3) }]));
    await stop();
    expect(sink.spans()[2]).toMatchObject({ is_segment: false });
    expect(sink.spans()[2]!.attributes).toMatchObject({ 'sentry.segment.id': { value: root.spanId } });
    expect(sink.problems()).toEqual([]);
  });

  it('does not mix the spans of two traces', async () => {
    await using sink = await startSentrySink();
    await sendAll(sink, [[root, { ...root, traceId: 'b'.repeat(32) }]], SPANS);
    expect(sink.traces().map((trace) => trace['trace_id'])).toEqual([TRACE_ID, 'b'.repeat(32)]);
  });

  it('shortens a span that is too large alone', async () => {
    await using sink = await startSentrySink();
    const attributes = { a: 'x'.repeat(900_000), b: 'y'.repeat(900_000) };
    await sendAll(sink, [[{ ...root, attributes }]], SPANS);
    expect(sink.spans()[0]!.attributes).toHaveProperty('a');
    expect(sink.problems()).toEqual([]);
  });
});

describe.each(['spans', 'transactions'])('the trace header with protocol: %s', (protocol) => {
  it('has what siphon knows of a trace that begins here', async () => {
    await using sink = await startSentrySink();
    await sendAll(sink, [[{ ...root, traceState: 'vendor=1,ot=rv:1;th:c' }]], {
      protocol,
      release: 'a@1',
      environment: 'e',
    });
    expect(sink.traces()[0]).toEqual({
      trace_id: TRACE_ID,
      public_key: new URL(sink.dsn).username,
      sampled: 'true',
      sample_rate: '0.25',
      release: 'a@1',
      environment: 'e',
      transaction: 'A.2 fetch',
    });
  });

  it('passes the context of a Sentry SDK on as it came', async () => {
    await using sink = await startSentrySink();
    const dsc = `sentry-trace_id=${TRACE_ID},sentry-public_key=abc,sentry-sample_rate=0.5,sentry-transaction=GET%20%2F`;
    await sendAll(sink, [[{ ...root, kind: 'server', parentSpanId: spanId(9), attributes: { 'sentry.dsc': dsc } }]], {
      protocol,
    });
    expect(sink.traces()[0]).toEqual({
      trace_id: TRACE_ID,
      public_key: 'abc',
      sample_rate: '0.5',
      transaction: 'GET /',
    });
  });

  it.each(['nonsense', 'sentry-trace_id=1,sentry-public_key=a', `sentry-trace_id=${TRACE_ID}`])(
    'ignores the incoming context %j, and does not describe a trace that began elsewhere',
    async (dsc) => {
      await using sink = await startSentrySink();
      const span = { ...root, kind: 'server', parentSpanId: spanId(9), attributes: { 'sentry.dsc': dsc } } as const;
      await sendAll(sink, [[span]], { protocol, release: 'a@1' });
      const { public_key: _, ...rest } = sink.traces()[0]!;
      expect(rest).toEqual({ trace_id: TRACE_ID, sampled: 'true' });
    },
  );
});

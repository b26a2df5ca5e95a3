import { describe, expect, it } from 'vitest';
import { startSentrySink } from '../../../../examples/sentry-sink/sentry-sink.ts';
import { batchOfSpans, spanId } from '../../../../tests/support/otlp/otlp-spans.ts';
import { child, root, sendAll, spansSentAndFailed, startExporter } from './exporter-under-test.ts';

describe('spans without their root', () => {
  it('keeps the spans of a job together that runs longer than max_age', async () => {
    await using sink = await startSentrySink();
    const { exporter, counts, stop } = await startExporter(sink.dsn, {
      trace_buffer: { grace_period: '10ms', max_age: '50ms' },
    });
    const children = Array.from({ length: 300 }, (_, index) => ({ ...child, spanId: spanId(index + 2) }));
    await exporter.consume(batchOfSpans(children));
    expect(await sink.waitFor(() => sink.transactions().length > 0, 5000)).toBe(true);
    await exporter.consume(batchOfSpans([root]));
    await stop();
    expect(sink.transactions().map(({ spans }) => spans.length)).toEqual([300, 0]);
    const [incomplete] = sink.transactions();
    expect(incomplete).toMatchObject({ transaction: 'incomplete trace' });
    expect(incomplete!.contexts.trace).toMatchObject({ parent_span_id: root.spanId });
    const parents = new Set(incomplete!.spans.map((span) => span['parent_span_id']));
    expect([...parents]).toEqual([incomplete!.contexts.trace.span_id]);
    expect(await spansSentAndFailed(counts)).toEqual([301, 0]);
    expect(sink.problems()).toEqual([]);
  });

  it('sends late children of one parent together', async () => {
    await using sink = await startSentrySink();
    const { exporter, stop } = await startExporter(sink.dsn, { trace_buffer: { grace_period: '10ms' } });
    await exporter.consume(batchOfSpans([root]));
    await sink.waitFor(() => sink.transactions().length === 1, 5000);
    for (let index = 2; index <= 7; index++) {
      await exporter.consume(batchOfSpans([{ ...child, spanId: spanId(index) }]));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await stop();
    expect(sink.transactions().map(({ spans }) => spans.length)).toEqual([0, 6]);
  });

  it('keeps the order of spans that start in the same millisecond', async () => {
    await using sink = await startSentrySink();
    const children = [5, 2, 9, 4].map((id) => ({ ...child, spanId: spanId(id) }));
    await sendAll(sink, [[root, ...children]]);
    expect(sink.transactions()[0]!.spans.map((span) => span.span_id)).toEqual(children.map((one) => one.spanId));
  });

  it('does not join the spans of two services', async () => {
    await using sink = await startSentrySink();
    const { exporter, stop } = await startExporter(sink.dsn, { trace_buffer: { grace_period: '1h' } });
    await exporter.consume(batchOfSpans([child], 'a'));
    await exporter.consume(batchOfSpans([{ ...child, spanId: spanId(3) }], 'b'));
    await stop();
    expect(sink.transactions()).toHaveLength(2);
  });

  it('sends at most 1000 spans a transaction, and the rest in another one below the same root', async () => {
    await using sink = await startSentrySink();
    const children = Array.from({ length: 1005 }, (_, index) => ({ ...child, spanId: spanId(index + 2) }));
    const { counts } = await sendAll(sink, [[root, ...children]]);
    const [rest, first] = sink.transactions().toSorted((a, b) => a.spans.length - b.spans.length);
    expect([rest!.spans.length, first!.spans.length]).toEqual([5, 1000]);
    expect(rest!.contexts.trace).toMatchObject({ parent_span_id: root.spanId });
    expect(await spansSentAndFailed(counts)).toEqual([1006, 0]);
    expect(sink.problems()).toEqual([]);
  });

  it('sends a trace of 5,001 spans whole', { timeout: 60_000 }, async () => {
    await using sink = await startSentrySink();
    const children = Array.from({ length: 5000 }, (_, index) => ({ ...child, spanId: spanId(index + 2) }));
    const { counts } = await sendAll(sink, [[root, ...children]]);
    expect(await spansSentAndFailed(counts)).toEqual([5001, 0]);
    const sent = new Set(sink.transactions().flatMap(({ spans }) => spans.map((span) => span.span_id)));
    expect(sent.size).toBe(5000);
    expect(sink.problems()).toEqual([]);
  });

  it('shortens the texts of 1,000 long queries and drops none', { timeout: 60_000 }, async () => {
    await using sink = await startSentrySink();
    const attributes = { 'db.system.name': 'postgresql', 'db.query.text': `select ${'column, '.repeat(100)}` };
    const children = Array.from({ length: 1000 }, (_, index) => ({ ...child, spanId: spanId(index + 2), attributes }));
    const { counts } = await sendAll(sink, [[root, ...children]]);
    expect(sink.transactions().map(({ spans }) => spans.length)).toEqual([1000]);
    expect(sink.transactions()[0]!.spans[0]!.data).toHaveProperty(['db.system.name']);
    expect(await spansSentAndFailed(counts)).toEqual([1001, 0]);
    expect(sink.problems()).toEqual([]);
  });

  it('gives a child that another service sent a transaction of its own', async () => {
    await using sink = await startSentrySink();
    const { exporter, stop } = await startExporter(sink.dsn);
    const grandchild = { spanId: spanId(3), parentSpanId: child.spanId, name: 'grandchild' };
    await exporter.consume(batchOfSpans([child, grandchild], 'worker'));
    await exporter.consume(batchOfSpans([root], 'front'));
    await stop();
    const found = sink
      .transactions()
      .map(({ tags, spans }) => [tags?.['service.name'], spans.map((span) => span.span_id)]);
    expect(new Map(found as [string, string[]][])).toEqual(new Map([['front', []], ['worker', [spanId(3)]]])); // prettier-ignore
  });

  it.each([
    ['1970', 0n],
    ['40 days ago', BigInt(Date.now() - 40 * 24 * 3600 * 1000) * 1_000_000n],
    ['the future', BigInt(Date.now() + 72 * 3600 * 1000) * 1_000_000n],
  ])('counts a span from %s as dropped, because Sentry would refuse it', async (_, startTimeUnixNano) => {
    await using sink = await startSentrySink();
    const { counts } = await sendAll(sink, [[root, { ...child, startTimeUnixNano }]]);
    expect(sink.transactions().map(({ spans }) => spans)).toEqual([[]]);
    expect((await counts()).get('span invalid_time')).toBe(1);
  });
});

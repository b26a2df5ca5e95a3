import { expect, test, vi } from 'vitest';
import { RetryableError } from '../../../engine/errors.ts';
import { batchOfSpans, spanId, type SpanDraft } from '../../../../tests/support/otlp/otlp-spans.ts';
import { startSampling, traceId } from './sampling-under-test.ts';

const errors = { type: 'status_code', status_code: { status_codes: ['ERROR'] } };
const always = { type: 'always_sample' };
const never = { type: 'probabilistic', probabilistic: { sampling_percentage: 0 } };

function span(trace: number, id: number, more: Partial<SpanDraft> = {}): SpanDraft {
  return { traceId: traceId(trace), spanId: spanId(id), name: `${trace}.${id}`, ...more };
}

test('decides about a trace with all spans of the wait, whatever their order', async () => {
  await using sampling = await startSampling({}, errors);
  const { processor, balance } = sampling.traces;
  await processor.consume(batchOfSpans([span(1, 1), span(2, 1)]));
  await sampling.pass(5);
  await processor.consume(batchOfSpans([span(2, 2, { statusMessage: 'no' })]));
  expect(balance()).toMatchObject({ waiting: 3 });
  await sampling.pass(6);
  expect(sampling.passed()).toEqual(['2.1', '2.2']);
  expect(balance()).toMatchObject({ waiting: 0, dropped: { not_sampled: 1 } });
});

test('late spans follow the decision, also when the trace is long gone', async () => {
  await using sampling = await startSampling({ num_traces: 100 }, errors);
  const { processor, balance, page } = sampling.traces;
  await processor.consume(batchOfSpans([span(1, 1, { statusMessage: 'no' }), span(2, 1)]));
  await sampling.pass(11);
  await sampling.pass(600);
  await processor.consume(batchOfSpans([span(1, 2), span(2, 2)]));
  await sampling.pass(2);
  expect(sampling.passed()).toEqual(['1.1', '1.2']);
  expect(balance()).toMatchObject({ waiting: 0, dropped: { not_sampled: 2 } });
  expect(await page()).toMatch(/early_releases_from_cache_decision\{[^}]*sampled="true"[^}]*\} 1\n/);
});

test('too many traces are decided early, and none is lost', async () => {
  await using sampling = await startSampling({ num_traces: 10 }, errors);
  const { processor, page } = sampling.traces;
  const spans = Array.from({ length: 30 }, (_, i) => span(i + 1, 1, { statusMessage: 'no' }));
  await processor.consume(batchOfSpans(spans));
  await sampling.pass(0);
  expect(sampling.passed()).toHaveLength(20);
  expect(await page()).toMatch(/siphon_tail_sampling_early_decisions\{[^}]*reason="num_traces"[^}]*\} 20\n/);
  await sampling.pass(11);
  expect(sampling.passed()).toHaveLength(30);
});

test('a trace that is larger than the memory is decided early, and its late spans follow', async () => {
  await using sampling = await startSampling({ max_size_mib: 1 }, errors);
  const { processor, page } = sampling.traces;
  const padding = 'x'.repeat(1000);
  for (let i = 0; i < 40; i++) {
    const spans = Array.from({ length: 100 }, (_, k) =>
      span(1, i * 100 + k + 1, { statusMessage: 'no', attributes: { padding } }),
    );
    await processor.consume(batchOfSpans(spans));
    await sampling.pass(0);
    const [, held = '0'] = /siphon_tail_sampling_held_bytes\{[^}]*\} (\S+)/.exec(await page()) ?? [];
    expect(Number(held)).toBeLessThan(1.2 * 1024 * 1024);
  }
  await sampling.pass(11);
  expect(sampling.passed()).toHaveLength(4000);
});

test('maximum_trace_size_bytes drops larger traces, with a reason', async () => {
  await using sampling = await startSampling({ maximum_trace_size_bytes: 500 }, always);
  const { processor, balance } = sampling.traces;
  const spans = Array.from({ length: 20 }, (_, i) => span(1, i + 1));
  await processor.consume(batchOfSpans([...spans, span(2, 1)]));
  await sampling.pass(11);
  expect(sampling.passed()).toEqual(['2.1']);
  const { too_large: tooLarge = 0, not_sampled: late = 0 } = balance().dropped;
  expect(tooLarge + late).toBe(20);
});

test('a local root shortens the wait', async () => {
  await using sampling = await startSampling({ decision_wait_after_root_received: '2s' }, always);
  const { processor } = sampling.traces;
  await processor.consume(
    batchOfSpans([span(1, 2, { parentSpanId: spanId(1) }), span(2, 2, { parentSpanId: spanId(1) })]),
  );
  await processor.consume(batchOfSpans([span(1, 1)]));
  await sampling.pass(4);
  expect(sampling.passed()).toEqual(['1.1', '1.2']);
});

test('the spans of sampled traces keep their resource and scope', async () => {
  await using sampling = await startSampling({}, errors);
  const batch = batchOfSpans([span(1, 1, { statusMessage: 'no' }), span(1, 2)]);
  await sampling.traces.processor.consume(batch);
  await sampling.pass(11);
  expect(Buffer.concat(sampling.traces.sink.batches[0]?.chunks ?? [])).toEqual(Buffer.concat(batch.chunks));
});

test('the end decides about what has arrived', async () => {
  const sampling = await startSampling({}, errors);
  const { processor, balance, sink } = sampling.traces;
  await processor.consume(batchOfSpans([span(1, 1, { statusMessage: 'no' }), span(2, 1)]));
  await processor.shutdown(AbortSignal.timeout(1000));
  expect(sink.items).toBe(1);
  expect(balance()).toMatchObject({ waiting: 0, dropped: { not_sampled: 1 } });
  await expect(processor.consume(batchOfSpans([span(3, 1)]))).rejects.toThrow(RetryableError);
  vi.useRealTimers();
});

test('the end drops everything if it is asked to', async () => {
  const sampling = await startSampling({ drop_pending_traces_on_shutdown: true }, always);
  const { processor, balance, sink } = sampling.traces;
  await processor.consume(batchOfSpans([span(1, 1)]));
  await processor.shutdown(AbortSignal.timeout(1000));
  expect(sink.items).toBe(0);
  expect(balance()).toMatchObject({ waiting: 0, dropped: { shutdown: 1 } });
  vi.useRealTimers();
});

test('spans that the next component refuses, or does not accept before the deadline, are counted once', async () => {
  const sampling = await startSampling({}, always);
  const { processor, balance, sink } = sampling.traces;
  sink.answer = (attempt) => {
    if (attempt === 1) throw new RetryableError('queue_full', 'full');
    return new Promise(() => undefined);
  };
  await processor.consume(batchOfSpans([span(1, 1), span(1, 2)]));
  await sampling.pass(11);
  expect(balance()).toMatchObject({ waiting: 0, dropped: { queue_full: 2 } });
  await processor.consume(batchOfSpans([span(1, 3), span(2, 1)]));
  await sampling.pass(2);
  expect(balance()).toMatchObject({ waiting: 2 });
  await processor.shutdown(AbortSignal.timeout(50));
  expect(balance()).toMatchObject({ waiting: 0, dropped: { queue_full: 2, shutdown: 2 } });
  vi.useRealTimers();
});

test('senders wait while spans above the limit cannot be sent', async () => {
  await using sampling = await startSampling({ num_traces: 1 }, always);
  const { processor, sink } = sampling.traces;
  const gate = Promise.withResolvers<void>();
  sink.answer = () => gate.promise;
  await processor.consume(batchOfSpans([span(1, 1), span(2, 1), span(3, 1)]));
  await sampling.pass(0);
  await processor.consume(batchOfSpans([span(4, 1)]));
  let isAccepted = false;
  const accepted = processor.consume(batchOfSpans([span(5, 1)])).then(() => (isAccepted = true));
  await sampling.pass(0);
  expect(isAccepted).toBe(false);
  gate.resolve();
  await accepted;
});

test('a span without a trace id is refused and counted', async () => {
  await using sampling = await startSampling({}, always);
  const { processor, balance } = sampling.traces;
  const result = await processor.consume(batchOfSpans([span(0, 1), span(1, 1)]));
  expect(result).toMatchObject({ rejectedItems: 1 });
  expect(balance()).toMatchObject({ waiting: 1, dropped: { invalid_ids: 1 } });
});

test('never keeps the traces of a policy that keeps none', async () => {
  await using sampling = await startSampling({}, never);
  await sampling.traces.processor.consume(batchOfSpans([span(1, 1)]));
  await sampling.pass(11);
  expect(sampling.passed()).toEqual([]);
});

import { expect, test } from 'vitest';
import type { TelemetryBatch } from '../../../engine/component.ts';
import { WireWriter } from '../../../engine/otlp/wire-writer.ts';
import { batchOfSpans, spanId } from '../../../../tests/support/otlp/otlp-spans.ts';
import { startSampling, traceId } from './sampling-under-test.ts';
import { walkExemplars } from './walk-exemplars.ts';

const never = { type: 'probabilistic', probabilistic: { sampling_percentage: 0 } };
const exemplar = { type: 'exemplar', exemplar: { wait: '60s' } };
const NOW = (): bigint => BigInt(Date.now()) * 1_000_000n;

/** A histogram and a counter with an exemplar for each trace. */
function exemplarsOf(traces: readonly number[], timeUnixNano = NOW()): TelemetryBatch {
  const writer = new WireWriter();
  const writeExemplar = (field: number, ofTrace: number): void =>
    writer.messageField(field, () => {
      writer.fixed64Field(2, timeUnixNano);
      writer.doubleField(3, 0.5);
      writer.bytesField(4, Buffer.from(spanId(1), 'hex'));
      writer.bytesField(5, Buffer.from(traceId(ofTrace), 'hex'));
    });
  writer.messageField(1, () => {
    writer.messageField(2, () => {
      for (const [type, field] of [
        [7, 5],
        [9, 8],
      ] as const) {
        writer.messageField(2, () => {
          writer.stringField(1, 'price.job.duration');
          writer.messageField(type, () => {
            writer.messageField(1, () => {
              writer.fixed64Field(3, timeUnixNano);
              for (const one of traces) writeExemplar(field, one);
              if (type === 9) writer.fixed64Field(4, 3n);
            });
          });
        });
      }
    });
  });
  const chunk = writer.finish();
  return { signal: 'metrics', chunks: [chunk], itemCount: 2, sizeBytes: chunk.length };
}

function exemplarCount({ chunks }: TelemetryBatch): number {
  let count = 0;
  for (const chunk of chunks) {
    for (const _ of walkExemplars(chunk, () => count++));
  }
  return count;
}

function trace(id: number) {
  return batchOfSpans([{ traceId: traceId(id), spanId: spanId(1), name: `${id}` }]);
}

test('keeps the trace of an exemplar that arrives before its spans, during the wait, or after a trace was not wanted', async () => {
  await using sampling = await startSampling({}, never, exemplar);
  const { traces, metrics } = sampling;
  await metrics.processor.consume(exemplarsOf([1]));
  for (let id = 1; id <= 4; id++) await traces.processor.consume(trace(id));
  await metrics.processor.consume(exemplarsOf([2]));
  await sampling.pass(11);
  expect(sampling.passed()).toEqual(['1', '2']);
  await sampling.pass(30);
  const batch = exemplarsOf([3]);
  await metrics.processor.consume(batch);
  expect(metrics.sink.batches.at(-1), 'unchanged').toBe(batch);
  await sampling.pass(2);
  expect(sampling.passed()).toEqual(['1', '2', '3']);
  await sampling.pass(30);
  expect(traces.balance()).toMatchObject({ waiting: 0, dropped: { not_sampled: 1 } });
});

test('removes exemplars whose trace is gone, each time they are sent, and leaves the rest of the points', async () => {
  await using sampling = await startSampling({ num_traces: 10 }, never, exemplar);
  const { traces, metrics } = sampling;
  await traces.processor.consume(trace(1));
  await traces.processor.consume(trace(2));
  await metrics.processor.consume(exemplarsOf([2]));
  await sampling.pass(61);
  for (let round = 0; round < 3; round++) {
    const timeUnixNano = NOW();
    await metrics.processor.consume(exemplarsOf([1, 2, 3], timeUnixNano));
    const passed = metrics.sink.batches.at(-1) as TelemetryBatch;
    expect(exemplarCount(passed)).toBe(4);
    expect(Buffer.concat(passed.chunks)).toEqual(Buffer.concat(exemplarsOf([2, 3], timeUnixNano).chunks));
    expect(passed.itemCount).toBe(2);
    // Others push it out of the memory of decisions.
    for (let id = 100; id < 120; id++) await traces.processor.consume(trace(1000 * round + id));
    await sampling.pass(61);
  }
  expect(await metrics.page()).toMatch(/removed_exemplars\{[^}]*reason="not_sampled"[^}]*\} 6\n/);
});

test('removes exemplars that were measured before the start, unless their trace is held', async () => {
  await using sampling = await startSampling({}, never, exemplar);
  const { traces, metrics } = sampling;
  await traces.processor.consume(trace(1));
  await metrics.processor.consume(exemplarsOf([1, 2], NOW() - 60_000_000_000n));
  expect(exemplarCount(metrics.sink.batches[0] as TelemetryBatch)).toBe(2);
  expect(await metrics.page()).toMatch(/removed_exemplars\{[^}]*reason="unknown"[^}]*\} 2\n/);
});

test('a trace that a policy drops loses its exemplars', async () => {
  const drop = { type: 'drop', drop: { drop_sub_policy: [{ type: 'always_sample' }] } };
  await using sampling = await startSampling({}, drop, exemplar);
  const { traces, metrics } = sampling;
  await traces.processor.consume(trace(1));
  await metrics.processor.consume(exemplarsOf([1]));
  await sampling.pass(11);
  await metrics.processor.consume(exemplarsOf([1]));
  expect(exemplarCount(metrics.sink.batches.at(-1) as TelemetryBatch)).toBe(0);
});

test('without the policy, metrics pass unchanged, and the log reports it', async () => {
  await using sampling = await startSampling({}, never);
  const { traces, metrics } = sampling;
  await traces.processor.consume(trace(1));
  await sampling.pass(11);
  const batch = exemplarsOf([1]);
  await metrics.processor.consume(batch);
  expect(metrics.sink.batches[0]).toBe(batch);
  expect(metrics.lines).toMatchObject([{ msg: 'Metrics pass unchanged because no policy has the type exemplar' }]);
});

import * as v from 'valibot';
import { expect, test } from 'vitest';
import { readSpans } from '../../../engine/otlp/span-reader.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { SinkExporter } from '../../../../tests/support/components/sink-exporter.ts';
import { batchOfSpans, spanId, type SpanDraft } from '../../../../tests/support/otlp/otlp-spans.ts';
import { probabilisticSamplerConfig } from './config.ts';
import { probabilisticSamplerProcessor } from './factory.ts';

async function sampled(spans: readonly SpanDraft[], written: object): Promise<{ id: string; traceState: string }[]> {
  const sink = new SinkExporter();
  const { settings, balance } = componentSettings('processor', 'probabilistic_sampler');
  const config = v.parse(probabilisticSamplerConfig, written);
  const processor = probabilisticSamplerProcessor.create(settings, config, sink);
  await processor.consume(batchOfSpans(spans));
  const kept = sink.batches.flatMap(({ chunks }) => [...readSpans(Buffer.concat(chunks))]);
  expect(balance().dropped).toEqual(kept.length < spans.length ? { not_sampled: spans.length - kept.length } : {});
  return kept.map((span) => ({ id: span.spanId, traceState: span.traceState }));
}

/** Spans whose trace ids end in these 56 bits. */
function withRandomness(...randomness: readonly bigint[]): SpanDraft[] {
  return randomness.map((value, i) => ({
    spanId: spanId(i + 1),
    traceId: `${'0'.repeat(17)}1${value.toString(16).padStart(14, '0')}`,
  }));
}

function random(count: number): SpanDraft[] {
  let state = 7;
  const word = (): string => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0).toString(16).padStart(8, '0');
  };
  return Array.from({ length: count }, (_, i) => ({
    spanId: spanId(i + 1),
    traceId: word() + word() + word() + word(),
  }));
}

const HALF = 1n << 55n;

test.each(['hash_seed', 'equalizing', 'proportional'])(
  '%s keeps about the given part, and the same traces again',
  async (mode) => {
    const spans = random(1200);
    const kept = await sampled(spans, { mode, sampling_percentage: 25 });
    expect(kept.length).toBeGreaterThan(240);
    expect(kept.length).toBeLessThan(360);
    expect(kept[0]?.traceState).toMatch(/^ot=(?:rv:[0-9a-f]{14};)?th:c$/);
    const again = await sampled(spans, { mode, sampling_percentage: 50 });
    expect(again.map(({ id }) => id)).toEqual(expect.arrayContaining(kept.map(({ id }) => id)));
  },
);

test('a threshold that is reached keeps the trace', async () => {
  const spans = withRandomness(HALF - 1n, HALF, HALF + 1n);
  expect(await sampled(spans, { mode: 'equalizing', sampling_percentage: 50 })).toEqual([
    { id: spanId(2), traceState: 'ot=th:8' },
    { id: spanId(3), traceState: 'ot=th:8' },
  ]);
});

test.each([
  ['equalizing', 50, 'ot=th:c', 'ot=th:c'],
  ['equalizing', 10, 'ot=th:8,a=b', 'ot=th:e666,a=b'],
  ['proportional', 50, 'ot=th:8;x:y', 'ot=th:c;x:y'],
  ['proportional', 50, 'a=b', 'ot=th:8,a=b'],
  ['equalizing', 100, '', 'ot=th:0'],
])('%s at %d %% turns "%s" into "%s"', async (mode, percentage, before, after) => {
  const [span] = withRandomness((1n << 56n) - 1n);
  const kept = await sampled([{ ...span!, traceState: before }], { mode, sampling_percentage: percentage });
  expect(kept).toEqual([{ id: spanId(1), traceState: after }]);
});

test.each([
  ['hash_seed', 'ot=th:8'],
  ['hash_seed', 'ot=rv:ffffffffffffff'],
  ['equalizing', 'ot=th:not hexadecimal'],
  ['equalizing', 'not a trace state'],
  ['equalizing', 'ot=rv:00000000000000;th:8'],
])('%s cannot decide about "%s"', async (mode, traceState) => {
  const [span] = withRandomness(HALF);
  const spans = [{ ...span!, traceState }];
  expect(await sampled(spans, { mode, sampling_percentage: 99.9 })).toEqual([]);
  expect(await sampled(spans, { mode, sampling_percentage: 0.01, fail_closed: false })).toHaveLength(1);
});

test('nothing can be decided about a trace id of zeros', async () => {
  const spans = [{ spanId: spanId(1), traceId: '0'.repeat(32) }];
  expect(await sampled(spans, { sampling_percentage: 100 })).toEqual([]);
});

test('sampling.priority decides, whatever its type', async () => {
  const priorities = [1, 0, '2.5', '0', 'high', -1, 0.5];
  const spans = priorities.map((priority, i) => ({
    ...withRandomness(0n)[0]!,
    spanId: spanId(i),
    attributes: { 'sampling.priority': priority },
  }));
  const kept = await sampled(spans, { mode: 'equalizing', sampling_percentage: 50 });
  expect(kept.map(({ id }) => id)).toEqual([0, 2, 6].map(spanId));
  expect(await sampled(spans, { sampling_percentage: 0 })).toHaveLength(3);
});

test('the percentages 0 and 100 and above keep nothing and everything', async () => {
  const spans = random(100);
  expect(await sampled(spans, {})).toEqual([]);
  for (const sampling_percentage of [100, 250]) expect(await sampled(spans, { sampling_percentage })).toHaveLength(100);
});

test('seeds choose independently', async () => {
  const spans = random(2000);
  const [one, two] = await Promise.all(
    [1, 2].map(async (hash_seed) => await sampled(spans, { hash_seed, sampling_percentage: 50 })),
  );
  const ids = new Set(two!.map(({ id }) => id));
  const both = one!.filter(({ id }) => ids.has(id)).length;
  expect(both / one!.length).toBeGreaterThan(0.4);
  expect(both / one!.length).toBeLessThan(0.6);
});

import { expect, test } from 'vitest';
import { canonicalText } from '../../../engine/otlp/any-value.ts';
import type { SpanDraft } from '../../../../tests/support/otlp/otlp-spans.ts';
import { ProcessorUnderTest, type AddedExemplar } from './processor-under-test.ts';
import { ServiceUnderTest, type Random } from './service-under-test.ts';

const SCENARIOS = Number(process.env['SIPHON_EXEMPLAR_SCENARIOS'] ?? 15);
const INTERVAL_MS = 10_000;
const INTERVALS = 40;

/** Numbers that are the same in each run. https://en.wikipedia.org/wiki/Linear_congruential_generator */
function randomFrom(seed: number): Random {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Two services through one processor, with late, repeated and lost telemetry. Returns the exemplars, and how many are wrong. */
async function runScenario(seed: number): Promise<{ readonly added: number; readonly wrong: AddedExemplar[] }> {
  const random = randomFrom(seed);
  const processor = new ProcessorUnderTest();
  let nowMs = Date.now() - 2 * INTERVALS * INTERVAL_MS;
  const services = ['a', 'b'].map((name) => ({ name, service: new ServiceUnderTest(random, name, nowMs) }));
  const wrong: AddedExemplar[] = [];
  let added = 0;
  for (let interval = 0; interval < INTERVALS; interval++) {
    if (random() < 0.05) nowMs -= 3 * INTERVAL_MS * random();
    const toMs = nowMs + INTERVAL_MS;
    for (const { name, service } of services) {
      if (random() < 0.05) service.restart(nowMs);
      const spans = service.handle(nowMs, toMs);
      const late = spans.filter(() => random() < 0.4);
      const inTime = spans.filter((span) => !late.includes(span));
      const send = async (some: readonly SpanDraft[]): Promise<void> => {
        await processor.takeSpans(some, name);
        if (random() < 0.1) await processor.takeSpans(some, name);
      };
      await send(inTime);
      // An export that does not arrive.
      const exemplars = random() < 0.03 ? [] : await processor.takePoints([service.histogram()], toMs, name);
      added += exemplars.length;
      wrong.push(...exemplars.filter((exemplar) => !isTrue(exemplar, service)));
      await send(late);
    }
    nowMs = toMs;
  }
  return { added, wrong };
}

function isTrue(
  { attributes, spanId, traceId, isDerived, value }: AddedExemplar,
  { truth }: ServiceUnderTest,
): boolean {
  const measurement = truth.get(spanId);
  if (measurement === undefined) return false;
  const [inTruth, inExemplar] = [measurement.attributes, attributes].map((one) =>
    canonicalText(new Map(Object.entries(one))),
  );
  return (
    inTruth === inExemplar &&
    isDerived &&
    traceId === measurement.traceId &&
    ServiceUnderTest.bucketOf(value) === measurement.bucket
  );
}

test(`of all exemplars in ${SCENARIOS} scenarios, none is wrong`, { timeout: 600_000 }, async () => {
  let total = 0;
  for (let seed = 1; seed <= SCENARIOS; seed++) {
    const { added, wrong } = await runScenario(seed);
    expect(wrong, `seed ${seed}`).toEqual([]);
    total += added;
  }
  expect(total).toBeGreaterThan(SCENARIOS * 20);
});

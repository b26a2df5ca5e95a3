import type { ConformanceCase } from '../conformance-case.ts';
import type { Json } from '../otlp-json.ts';
import { spanMetrics, spans, type Span } from './span-metrics.ts';

/** The traces are the same in each run. https://en.wikipedia.org/wiki/Linear_congruential_generator */
function traceIds(count: number): string[] {
  let state = 11;
  const word = (): string => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0).toString(16).padStart(8, '0');
  };
  return Array.from({ length: count }, () => word() + word() + word() + word());
}

/** Counts the spans that are kept. The name of a span shows its trace, and its count the threshold that it got. */
function sampler(
  name: string,
  options: { readonly [option: string]: Json },
  more: Omit<Span, 'traceId' | 'name'> = {},
): ConformanceCase {
  const list = traceIds(24).map((traceId, i): Span => ({ ...more, traceId, name: `trace ${i}` }));
  const counted = spanMetrics(`probabilistic_sampler: ${name}`, [spans(list)], { histogram: { disable: true } });
  return { ...counted, processors: { probabilistic_sampler: options } };
}

/** The percentages have whole counts: fractions are rounded at random. */
export const probabilisticSamplerCases: readonly ConformanceCase[] = [
  sampler('a half', { sampling_percentage: 50 }),
  sampler('a quarter with a seed', { sampling_percentage: 25, hash_seed: 22 }),
  sampler('everything', { sampling_percentage: 100 }),
  sampler('nothing', { sampling_percentage: 0 }),
  sampler('equalizing', { sampling_percentage: 25, mode: 'equalizing' }),
  sampler('equalizing after sampling', { sampling_percentage: 50, mode: 'equalizing' }, { traceState: 'a=b,ot=th:c' }),
  sampler('proportional', { sampling_percentage: 25, mode: 'proportional' }),
  sampler('proportional after sampling', { sampling_percentage: 50, mode: 'proportional' }, { traceState: 'ot=th:8' }),
  sampler(
    'proportional with its own randomness',
    { sampling_percentage: 50, mode: 'proportional' },
    { traceState: 'ot=rv:c0000000000000' },
  ),
  sampler('a hash after sampling', { sampling_percentage: 50 }, { traceState: 'ot=th:8' }),
  sampler('a hash after sampling, open', { sampling_percentage: 50, fail_closed: false }, { traceState: 'ot=th:8' }),
  sampler('an invalid trace state', { sampling_percentage: 50, mode: 'equalizing' }, { traceState: '=' }),
  sampler(
    'an invalid trace state, open',
    { sampling_percentage: 50, mode: 'equalizing', fail_closed: false },
    { traceState: '=' },
  ),
  sampler('a priority of 0', { sampling_percentage: 100 }, { attributes: { 'sampling.priority': 0 } }),
  sampler(
    'a priority of 1',
    { sampling_percentage: 25, mode: 'equalizing' },
    { attributes: { 'sampling.priority': 1 } },
  ),
  sampler('a priority as text', { sampling_percentage: 25 }, { attributes: { 'sampling.priority': '1' } }),
];

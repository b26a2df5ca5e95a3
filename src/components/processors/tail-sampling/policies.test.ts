import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { batchOfSpans, spanId, type SpanDraft } from '../../../../tests/support/otlp/otlp-spans.ts';
import { startSampling, traceId } from './sampling-under-test.ts';

const MS = 1_000_000n;
const START = 1_790_000_000_000n * MS;

/** Spans with the times from … to … in milliseconds. */
function timed(...times: readonly (readonly [number, number])[]): SpanDraft[] {
  return times.map(([from, to], i) => ({
    spanId: spanId(i + 1),
    startTimeUnixNano: START + BigInt(from) * MS,
    durationNano: BigInt(to - from) * MS,
  }));
}

function withAttribute(value: string | number | boolean): SpanDraft[] {
  return [{ spanId: spanId(1) }, { spanId: spanId(2), attributes: { key: value } }];
}

async function isKept(policy: object, spans: readonly SpanDraft[], service?: string): Promise<boolean> {
  await using sampling = await startSampling({}, policy);
  await sampling.traces.processor.consume(batchOfSpans(spans, service));
  await sampling.pass(11);
  const { sink } = sampling.traces;
  expect([0, spans.length]).toContain(sink.items);
  return sink.items > 0;
}

const latency = (threshold_ms: number, upper_threshold_ms?: number) => ({
  type: 'latency',
  latency: { threshold_ms, ...(upper_threshold_ms === undefined ? {} : { upper_threshold_ms }) },
});
const text = (more: object) => ({ type: 'string_attribute', string_attribute: { key: 'key', ...more } });
const number = (more: object) => ({ type: 'numeric_attribute', numeric_attribute: { key: 'key', ...more } });
const boolean = (more: object) => ({ type: 'boolean_attribute', boolean_attribute: { key: 'key', ...more } });
const count = (more: object) => ({ type: 'span_count', span_count: more });
const status = (...status_codes: string[]) => ({ type: 'status_code', status_code: { status_codes } });
const state = (...values: string[]) => ({ type: 'trace_state', trace_state: { key: 'k', values } });
const share = (sampling_percentage: number) => ({ type: 'probabilistic', probabilistic: { sampling_percentage } });
const always = { name: 'all', type: 'always_sample' };

const failed: SpanDraft[] = [{ spanId: spanId(1) }, { spanId: spanId(2), statusMessage: 'no' }];
const one: SpanDraft[] = [{ spanId: spanId(1) }];

test.each<[string, object, readonly SpanDraft[], boolean]>([
  ['always_sample', always, one, true],
  ['a trace as long as the threshold', latency(100), timed([0, 40], [60, 100]), true],
  ['a trace below the threshold', latency(101), timed([0, 40], [60, 100]), false],
  ['a trace within both thresholds', latency(1000, 3000), timed([0, 2000]), true],
  ['a trace above the upper threshold, short span first', latency(1000, 3000), timed([0, 2000], [0, 8000]), false],
  ['a trace above the upper threshold, long span first', latency(1000, 3000), timed([0, 8000], [0, 2000]), false],
  ['a status code', status('ERROR'), failed, true],
  ['another status code', status('OK'), failed, false],
  ['a text', text({ values: ['a', 'b'] }), withAttribute('b'), true],
  ['another text', text({ values: ['a'] }), withAttribute('b'), false],
  ['a text that is excluded', text({ values: ['b'], invert_match: true }), withAttribute('b'), false],
  ['a pattern', text({ values: ['(?i)^B+$'], enabled_regex_matching: true }), withAttribute('bb'), true],
  ['another pattern', text({ values: ['^B$'], enabled_regex_matching: true }), withAttribute('bb'), false],
  ['a number', number({ min_value: 0, max_value: 5 }), withAttribute(5), true],
  ['a fraction', number({ min_value: 0, max_value: 5 }), withAttribute(4.5), true],
  ['a greater number', number({ min_value: 0, max_value: 5 }), withAttribute(6), false],
  ['a bound of 0', number({ max_value: 0 }), withAttribute(1), false],
  ['a text is not a number', number({ min_value: -1, max_value: 5 }), withAttribute('0'), false],
  ['true', boolean({ value: true }), withAttribute(true), true],
  ['not true', boolean({ value: true }), withAttribute(false), false],
  ['enough spans', count({ min_spans: 2 }), failed, true],
  ['too many spans', count({ min_spans: 1, max_spans: 1 }), failed, false],
  ['a trace state', state('v'), [{ spanId: spanId(1), traceState: 'a=b, k=v' }], true],
  ['another trace state', state('v'), [{ spanId: spanId(1), traceState: 'k=w' }], false],
  ['all', share(100), one, true],
  ['none', share(0), one, false],
  ['not', { type: 'not', not: { not_sub_policy: status('ERROR') } }, failed, false],
  ['and', { type: 'and', and: { and_sub_policy: [status('ERROR'), count({ min_spans: 2 })] } }, failed, true],
  [
    'and with one that does not fit',
    { type: 'and', and: { and_sub_policy: [status('ERROR'), share(0)] } },
    failed,
    false,
  ],
])('%s', async (_name, policy, spans, expected) => {
  expect(await isKept(policy, spans)).toBe(expected);
});

test('an attribute of the resource counts', async () => {
  const policy = { type: 'string_attribute', string_attribute: { key: 'service.name', values: ['tea'] } };
  expect(await isKept(policy, one, 'tea')).toBe(true);
  expect(await isKept(policy, one, 'coffee')).toBe(false);
});

test('drop is stronger than the other policies', async () => {
  await using sampling = await startSampling({}, always, {
    type: 'drop',
    drop: { drop_sub_policy: [status('ERROR')] },
  });
  await sampling.traces.processor.consume(batchOfSpans(failed));
  await sampling.pass(11);
  expect(sampling.passed()).toEqual([]);
  expect(await sampling.traces.page()).toMatch(/global_count_traces_sampled\{[^}]*decision="dropped"[^}]*\} 1\n/);
});

test('a rate limit keeps what fits, and a trace that is larger than the burst', async () => {
  const limit = { type: 'rate_limiting', rate_limiting: { spans_per_second: 2, burst_capacity: 4 } };
  await using sampling = await startSampling({}, limit);
  const trace = async (id: number, spans: number): Promise<void> => {
    const drafts = Array.from({ length: spans }, (_, i) => ({
      spanId: spanId(i + 1),
      traceId: traceId(id),
      name: `${id}`,
    }));
    await sampling.traces.processor.consume(batchOfSpans(drafts));
  };
  await trace(1, 30);
  await trace(2, 1);
  await sampling.pass(11);
  expect(new Set(sampling.passed()), 'the large one, and then none until its spans are earned').toEqual(new Set(['1']));
  await sampling.pass(10);
  await trace(3, 1);
  await sampling.pass(11);
  expect(sampling.passed()).toContain('3');
});

test('composite gives each policy its share', async () => {
  const composite = {
    type: 'composite',
    composite: {
      max_total_spans_per_second: 10,
      policy_order: ['errors', 'rest'],
      composite_sub_policy: [
        { ...always, name: 'rest' },
        { name: 'errors', ...status('ERROR') },
      ],
      rate_allocation: [
        { policy: 'errors', percent: 80 },
        { policy: 'rest', percent: 20 },
      ],
    },
  };
  await using sampling = await startSampling({}, composite);
  for (let i = 1; i <= 20; i++) {
    const draft = { spanId: spanId(i), traceId: traceId(i), name: i % 2 === 0 ? 'error' : 'ok' };
    await sampling.traces.processor.consume(batchOfSpans([i % 2 === 0 ? { ...draft, statusMessage: 'x' } : draft]));
  }
  await sampling.pass(11);
  expect(sampling.passed()).toEqual([...Array<string>(8).fill('error'), 'ok', 'ok']);
});

test('a percentage keeps about that part, and the same traces with each instance', async () => {
  const spans = Array.from({ length: 1000 }, (_, i) => ({
    spanId: spanId(i + 1),
    traceId: createHash('md5').update(`${i}`).digest('hex'),
    name: `${i}`,
  }));
  const kept: string[][] = [];
  for (let run = 0; run < 2; run++) {
    await using sampling = await startSampling({}, share(25));
    await sampling.traces.processor.consume(batchOfSpans(spans));
    await sampling.pass(11);
    kept.push(sampling.passed());
  }
  expect(kept[0]).toEqual(kept[1]);
  expect(kept[0]?.length).toBeGreaterThan(200);
  expect(kept[0]?.length).toBeLessThan(300);
});

import type { ConformanceCase, Request } from '../conformance-case.ts';
import type { Json } from '../otlp-json.ts';
import { spanMetrics, spans, type Span } from './span-metrics.ts';

type Options = { readonly [option: string]: Json };

/** Both programs decide after the wait, and count a second later. */
const WAIT_MS = 4500;

/** Counts the spans of sampled traces. The name of a span shows its trace. */
function sampling(
  name: string,
  policies: readonly Options[],
  requests: readonly Request[] = [spans(TRACES)],
): ConformanceCase {
  const counted = spanMetrics(`tail_sampling: ${name}`, requests, { histogram: { disable: true } });
  const named = policies.map((policy, i) => ({ name: `policy ${i}`, ...policy }));
  return { ...counted, waitMs: WAIT_MS, processors: { tail_sampling: { decision_wait: '1s', policies: named } } };
}

function traceId(number: number): string {
  return `0af7651916cd43dd8448eb21${number.toString(16).padStart(8, '0')}`;
}

/** Six traces with one or two spans. */
const TRACES: readonly Span[] = [
  { traceId: traceId(0x1f3a77c0), name: 'short', duration: 3, attributes: { code: 200, region: 'eu', cached: true } },
  { traceId: traceId(0x5b11d6a9), name: 'long', duration: 900, attributes: { code: 404 } },
  { traceId: traceId(0x9c02e4f5), name: 'failed', status: 2, attributes: { code: 500, region: 'us' } },
  { traceId: traceId(0x9c02e4f5), name: 'failed', status: 1, attributes: { cached: false } },
  { traceId: traceId(0xd7e85b12), name: 'stated', traceState: 'vendor=gold,other=x' },
  { traceId: traceId(0x3380aa6e), name: 'plain', status: 1 },
  { traceId: traceId(0x3380aa6e), name: 'plain', attributes: { region: 'eu-west' } },
  { traceId: traceId(0xe04c918d), name: 'many', kind: 3 },
];

const status = (...codes: readonly string[]): Options => ({
  type: 'status_code',
  status_code: { status_codes: codes },
});
const text = (values: readonly string[], more: Options = {}): Options => ({
  type: 'string_attribute',
  string_attribute: { key: 'region', values, ...more },
});
const code = (more: Options): Options => ({ type: 'numeric_attribute', numeric_attribute: { key: 'code', ...more } });
const cached = (value: boolean, more: Options = {}): Options => ({
  type: 'boolean_attribute',
  boolean_attribute: { key: 'cached', value, ...more },
});
const share = (sampling_percentage: number, more: Options = {}): Options => ({
  type: 'probabilistic',
  probabilistic: { sampling_percentage, ...more },
});
const latency = (more: Options): Options => ({ type: 'latency', latency: more });
const spanCount = (more: Options): Options => ({ type: 'span_count', span_count: more });
const always: Options = { type: 'always_sample' };

export const tailSamplingCases: readonly ConformanceCase[] = [
  sampling('everything', [always]),
  sampling('latency', [latency({ threshold_ms: 100 })]),
  sampling('latency between two thresholds', [latency({ threshold_ms: 2, upper_threshold_ms: 100 })]),
  sampling('status codes', [status('ERROR')]),
  sampling('two status codes', [status('OK', 'UNSET')]),
  sampling('a text', [text(['eu', 'us'])]),
  sampling('a pattern', [text(['^eu'], { enabled_regex_matching: true })]),
  sampling('no such text', [text(['eu'], { invert_match: true })]),
  sampling('a number', [code({ min_value: 400, max_value: 499 })]),
  sampling('a least number', [code({ min_value: 400 })]),
  sampling('no such number', [code({ min_value: 400, max_value: 499, invert_match: true })]),
  sampling('a boolean', [cached(true)]),
  sampling('a trace state', [{ type: 'trace_state', trace_state: { key: 'vendor', values: ['gold', 'silver'] } }]),
  sampling('a number of spans', [spanCount({ min_spans: 2 })]),
  sampling('at most a number of spans', [spanCount({ min_spans: 1, max_spans: 1 })]),
  sampling('a half of all traces', [share(50)]),
  sampling('a quarter with a salt', [share(25, { hash_salt: 'pepper' })]),
  sampling('several policies', [latency({ threshold_ms: 100 }), status('ERROR')]),
  sampling('and', [
    {
      type: 'and',
      and: {
        and_sub_policy: [
          { name: 'a', ...status('OK') },
          { name: 'b', ...text(['us']) },
        ],
      },
    },
  ]),
  sampling('and not', [
    {
      type: 'and',
      and: {
        and_sub_policy: [
          { name: 'a', ...status('OK') },
          { name: 'b', type: 'not', not: { not_sub_policy: { name: 'c', ...text(['us']) } } },
        ],
      },
    },
  ]),
  sampling('not', [{ type: 'not', not: { not_sub_policy: { name: 'a', ...status('ERROR') } } }]),
  sampling('drop', [always, { type: 'drop', drop: { drop_sub_policy: [{ name: 'a', ...status('ERROR') }] } }]),
  sampling('composite', [
    {
      type: 'composite',
      composite: {
        max_total_spans_per_second: 100,
        policy_order: ['a', 'b'],
        composite_sub_policy: [
          { name: 'a', ...status('ERROR') },
          { name: 'b', ...latency({ threshold_ms: 100 }) },
        ],
        rate_allocation: [
          { policy: 'a', percent: 50 },
          { policy: 'b', percent: 50 },
        ],
      },
    },
  ]),
  sampling('a rate', [{ type: 'rate_limiting', rate_limiting: { spans_per_second: 100 } }]),
  sampling(
    'in two requests',
    [spanCount({ min_spans: 2 })],
    TRACES.map((span) => spans([span])),
  ),
  sampling('a resource', [{ type: 'string_attribute', string_attribute: { key: 'service.name', values: ['shop'] } }]),
];

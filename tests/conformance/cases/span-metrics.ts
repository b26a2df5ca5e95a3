import type { ConformanceCase, Request } from '../conformance-case.ts';
import type { Json } from '../otlp-json.ts';

type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface Span {
  readonly traceId?: string;
  readonly name?: string;
  readonly kind?: number;
  readonly status?: number;
  /** Milliseconds. */
  readonly duration?: number;
  readonly attributes?: Attributes;
  readonly traceState?: string;
  readonly events?: readonly { readonly name: string; readonly attributes: Attributes }[];
}

const START_MS = 1_790_000_000_000;
const SERVICE: Attributes = { 'service.name': 'shop' };

/** Spans of one resource, in one request. */
export function spans(list: readonly Span[], resource: Attributes = SERVICE, scope: Json = {}): Request {
  const encoded = list.map(({ name = 'GET /', kind = 2, status = 0, duration = 3, traceState = '', ...more }, i) => ({
    traceId: more.traceId ?? '0af7651916cd43dd8448eb211c80319c',
    spanId: `${i + 1}`.padStart(16, '0'),
    name,
    kind,
    traceState,
    startTimeUnixNano: `${START_MS}000000`,
    endTimeUnixNano: `${START_MS + duration}000000`,
    status: { code: status },
    attributes: keyValues(more.attributes ?? {}),
    events: (more.events ?? []).map((event) => ({ name: event.name, attributes: keyValues(event.attributes) })),
  }));
  return [{ resource: { attributes: keyValues(resource) }, scopeSpans: [{ scope, spans: encoded }] }];
}

function keyValues(attributes: Attributes): Json[] {
  return Object.entries(attributes).map(([key, value]) => {
    if (typeof value === 'string') return { key, value: { stringValue: value } };
    return { key, value: typeof value === 'number' ? { intValue: String(value) } : { boolValue: value } };
  });
}

/** The stock connector shows the true count of a new series with the second flush. */
const WAIT_MS = 1500;
const SHORT = { metrics_flush_interval: '200ms', exclude_dimensions: ['collector.instance.id'] };

/** Each case has few buckets, to keep the pages short. */
export function spanMetrics(
  name: string,
  requests: readonly Request[],
  options: { readonly [option: string]: Json } = {},
) {
  const connector = { ...SHORT, histogram: { explicit: { buckets: ['5ms', '1s'] } }, ...options };
  return { name, requests, connector, waitMs: WAIT_MS };
}

const ROUTE = { 'http.route': '/x', 'http.response.status_code': 200 };
const dimensions = [{ name: 'http.route' }, { name: 'region', default: 'none' }];

export const spanMetricsCases: readonly ConformanceCase[] = [
  spanMetrics('span_metrics: counts and durations', [spans([{}, {}, { duration: 70 }, { duration: 5000 }])]),
  spanMetrics('span_metrics: the default buckets', [spans([{}])], { histogram: {} }),
  spanMetrics('span_metrics: seconds', [spans([{ duration: 70 }])], {
    histogram: { unit: 's', explicit: { buckets: ['50ms', '1s'] } },
  }),
  spanMetrics('span_metrics: without a histogram', [spans([{}])], { histogram: { disable: true } }),
  spanMetrics('span_metrics: a bound belongs to its bucket', [spans([{ duration: 5 }, { duration: 1000 }])]),
  spanMetrics('span_metrics: kinds', [spans([0, 1, 2, 3, 4, 5].map((kind) => ({ kind })))]),
  spanMetrics('span_metrics: status codes', [spans([0, 1, 2].map((status) => ({ status })))]),
  spanMetrics('span_metrics: an end before the start', [spans([{ duration: -5 }])]),
  spanMetrics('span_metrics: no service', [spans([{}], { region: 'eu' })]),
  spanMetrics('span_metrics: no namespace', [spans([{}])], { namespace: '' }),
  spanMetrics('span_metrics: another namespace', [spans([{}])], { namespace: 'shop.spans' }),
  spanMetrics('span_metrics: dimensions', [spans([{ attributes: ROUTE }, {}])], { dimensions }),
  spanMetrics(
    'span_metrics: a dimension of the resource',
    [spans([{ attributes: ROUTE }], { ...SERVICE, region: 'eu' })],
    {
      dimensions,
    },
  ),
  spanMetrics(
    'span_metrics: the span comes before the resource',
    [spans([{ attributes: { region: 'us' } }], { ...SERVICE, region: 'eu' })],
    {
      dimensions,
    },
  ),
  spanMetrics('span_metrics: a number and a text', [spans([{ attributes: { a: 1 } }, { attributes: { a: '1' } }])], {
    dimensions: [{ name: 'a' }],
  }),
  spanMetrics(
    'span_metrics: a glob',
    [spans([{ attributes: { 'http.route': '/x', 'http.a.b': 'no', other: 'no' } }])],
    {
      dimensions: [{ glob: 'http.*' }],
    },
  ),
  spanMetrics('span_metrics: a glob over dots', [spans([{ attributes: { 'http.a.b': 'yes' } }])], {
    dimensions: [{ glob: 'http.**' }],
  }),
  spanMetrics('span_metrics: dimensions of one metric', [spans([{ attributes: ROUTE }])], {
    calls_dimensions: [{ name: 'http.route' }],
    histogram: { explicit: { buckets: ['5ms'] }, dimensions: [{ name: 'http.response.status_code' }] },
  }),
  spanMetrics('span_metrics: excluded dimensions', [spans([{}])], {
    exclude_dimensions: ['collector.instance.id', 'span.name', 'status.code'],
  }),
  spanMetrics(
    'span_metrics: events',
    [
      spans([
        {
          events: [
            { name: 'exception', attributes: { 'exception.type': 'E' } },
            { name: 'x', attributes: {} },
          ],
        },
      ]),
    ],
    { events: { enabled: true, dimensions: [{ name: 'exception.type' }] } },
  ),
  spanMetrics('span_metrics: an instrumentation scope', [spans([{}], SERVICE, { name: 'http', version: '1' })], {
    include_instrumentation_scope: ['http'],
  }),
  spanMetrics('span_metrics: another instrumentation scope', [spans([{}], SERVICE, { name: 'pg', version: '1' })], {
    include_instrumentation_scope: ['http'],
  }),
  spanMetrics('span_metrics: sampled spans', [
    spans([{ traceState: 'ot=th:8' }, { traceState: 'ot=rv:6e6d1a75832a2f;th:c' }, { traceState: 'a=b' }]),
  ]),
  spanMetrics('span_metrics: the sampling method', [spans([{ traceState: 'ot=th:8' }, {}])], {
    enable_metrics_sampling_method: true,
  }),
  spanMetrics('span_metrics: overflow', [spans(['a', 'b', 'c', 'd', 'c'].map((name) => ({ name })))], {
    aggregation_cardinality_limit: 2,
  }),
  spanMetrics('span_metrics: several requests', [spans([{}]), spans([{}, { name: 'POST /' }]), spans([{}])]),
  spanMetrics('span_metrics: two resources', [
    [
      ...spans([{}], { ...SERVICE, 'service.instance.id': 'a' }),
      ...spans([{}], { ...SERVICE, 'service.instance.id': 'b' }),
    ],
  ]),
];

import { metrics, type ConformanceCase, type Request } from '../conformance-case.ts';
import { counter, exponentialHistogram, from, gauge, histogram, sum, summary, type Exemplar } from '../otlp-json.ts';

const TRACE = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
/** Without a start time, so that only the cases about it show when a count began. */
const NO_START = { start: -Infinity };
const BUCKETS = { ...NO_START, bounds: [0.1, 1, 10], counts: [1n, 2n, 0n, 3n], count: 6n, sum: 12.25 };

const exemplar = (value: number, time: number): Exemplar => ({ value, time, ...TRACE });

const counterWith = (...exemplars: readonly Exemplar[]): Request =>
  metrics(counter('c', [{ ...NO_START, value: 5, exemplars }]));
const histogramWith = (...exemplars: readonly Exemplar[]): Request =>
  metrics(histogram('h', [{ ...BUCKETS, exemplars }]));

const REQUESTS: Readonly<Record<string, Request>> = {
  'an empty page': metrics(),
  'a gauge': metrics(gauge('g', [{ value: 1 }, { attributes: { a: 'x' }, value: 1.5 }])),
  'a gauge with help': metrics(gauge('g', [{ value: 1 }], { help: 'how "long"\\\n' })),
  'a counter without a start time': metrics(counter('c', [{ ...NO_START, value: 1 }])),
  'a counter of integers': metrics(counter('c', [{ ...NO_START, value: 7n }])),
  'a non-monotonic sum': metrics(sum('s', [{ value: -1 }], { monotonic: false })),
  'a histogram': metrics(histogram('h', [{ ...BUCKETS, attributes: { a: 'x' } }])),
  'a summary': metrics(
    summary('s', [
      {
        ...NO_START,
        count: 9n,
        sum: 12,
        quantiles: [
          [0.5, 1],
          [1, 2],
        ],
      },
    ]),
  ),
  'an exponential histogram': metrics(
    exponentialHistogram('e', [{ ...NO_START, count: 2n, sum: 3, scale: 0, positive: [1n, 1n] }]),
  ),
  'special numbers': metrics(
    ...[0, -0, 1e6, 1e21, 1e-7, 0.1, Number.NaN, Infinity, -Infinity].map((value, i) => gauge(`g${i}`, [{ value }])),
  ),
  'target information': [from({ 'service.name': 'shop', 'service.instance.id': '1', zone: 'eu' }, {}, [])],
  'a metric and target information': [
    from({ 'service.name': 'shop', 'service.instance.id': '1', zone: 'eu' }, {}, [gauge('g', [{ value: 1 }])]),
  ],
  'labels that must be escaped': metrics(gauge('g', [{ attributes: { a: 'a"b\\c\nd' }, value: 1 }])),

  'an exemplar on a counter': counterWith(exemplar(1, 5)),
  'an exemplar with an integer': counterWith({ value: 1n, time: 5, ...TRACE }),
  'an exemplar with attributes': counterWith({ value: 1, time: 5, ...TRACE, attributes: { user: 'u1' } }),
  'an exemplar without a trace': counterWith({ value: 1, time: 5 }),
  'an exemplar without a span': counterWith({ value: 1, time: 5, traceId: TRACE.traceId }),
  'an exemplar on each bucket': histogramWith(...[0.05, 0.5, 5, 50].map((value, i) => exemplar(value, i))),
  'two exemplars in one bucket': histogramWith(exemplar(0.5, 5), exemplar(0.6, 6)),
  'an exemplar on a bound': histogramWith(exemplar(1, 5)),
  'an exemplar on a gauge': metrics(gauge('g', [{ value: 1, exemplars: [exemplar(1, 5)] }])),
};

const CONFIG = { enable_open_metrics: true, without_scope_info: true };
const OPEN_METRICS = 'application/openmetrics-text;version=1.0.0';

const ACCEPTS: Readonly<Record<string, string>> = {
  'any type': '*/*',
  text: 'text/plain;version=0.0.4',
  'OpenMetrics without version': 'application/openmetrics-text',
  'OpenMetrics preferred': `${OPEN_METRICS};q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`,
  'text preferred': `${OPEN_METRICS};q=0.5,text/plain;version=0.0.4;q=0.8`,
};

const ASKED = { config: CONFIG, accept: OPEN_METRICS };

const UNITS: readonly ConformanceCase[] = [
  {
    name: 'OpenMetrics: the units of a gauge, and of a name that does not end in it',
    ...ASKED,
    requests: [metrics(gauge('g', [{ value: 1 }], { unit: 'By/s' }), gauge('h', [{ value: 1 }], { unit: '{roast}' }))],
    differs: {
      id: 'prometheus-unit',
      page: [
        '# HELP g_bytes_per_second ',
        '# TYPE g_bytes_per_second gauge',
        '# UNIT g_bytes_per_second bytes_per_second',
        'g_bytes_per_second 1.0',
        '# HELP h ',
        '# TYPE h gauge',
        'h 1.0',
        '# EOF',
      ],
    },
  },
  {
    name: 'OpenMetrics: the unit of a counter',
    ...ASKED,
    requests: [metrics(counter('c', [{ ...NO_START, value: 1 }], { unit: 'By' }))],
    differs: {
      id: 'prometheus-unit',
      page: ['# HELP c_bytes ', '# TYPE c_bytes counter', '# UNIT c_bytes bytes', 'c_bytes_total 1.0', '# EOF'],
    },
  },
];

const STARTED: readonly ConformanceCase[] = [
  {
    name: 'OpenMetrics: counters with a start time',
    ...ASKED,
    requests: [metrics(counter('c', [{ value: 1 }, { attributes: { a: 'x' }, value: 2, start: 1.5 }]))],
    differs: {
      id: 'prometheus-created',
      page: [
        '# HELP c ',
        '# TYPE c counter',
        'c_total 1.0',
        'c_created 1.79e+09',
        'c_total{a="x"} 2.0',
        'c_created{a="x"} 1.7900000015e+09',
        '# EOF',
      ],
    },
  },
  {
    name: 'OpenMetrics: a histogram with a start time',
    ...ASKED,
    requests: [metrics(histogram('h', [{ ...BUCKETS, bounds: [1], counts: [3n, 3n], start: 0 }]))],
    differs: {
      id: 'prometheus-created',
      page: [
        '# HELP h ',
        '# TYPE h histogram',
        'h_bucket{le="1.0"} 3',
        'h_bucket{le="+Inf"} 6',
        'h_sum 12.25',
        'h_count 6',
        'h_created 1.79e+09',
        '# EOF',
      ],
    },
  },
  {
    name: 'OpenMetrics: a summary with a start time',
    ...ASKED,
    requests: [metrics(summary('s', [{ count: 1n, sum: 2, attributes: { a: 'x' } }]))],
    differs: {
      id: 'prometheus-created',
      page: [
        '# HELP s ',
        '# TYPE s summary',
        's_sum{a="x"} 2.0',
        's_count{a="x"} 1',
        's_created{a="x"} 1.79e+09',
        '# EOF',
      ],
    },
  },
];

const page = REQUESTS['a histogram']!;

export const openMetricsCases: readonly ConformanceCase[] = [
  ...Object.entries(REQUESTS).map(([what, request]) => ({
    name: `OpenMetrics: ${what}`,
    config: CONFIG,
    accept: OPEN_METRICS,
    requests: [request],
  })),
  ...Object.entries(ACCEPTS).map(([what, accept]) => ({
    name: `negotiation: ${what}`,
    config: CONFIG,
    accept,
    requests: [page],
  })),
  ...UNITS,
  ...STARTED,
  { name: 'negotiation: OpenMetrics where it is off', accept: OPEN_METRICS, requests: [page] },
  {
    name: 'exemplars: not in the text format',
    config: CONFIG,
    requests: [counterWith(exemplar(1, 5))],
  },
  {
    name: 'OpenMetrics: with timestamps',
    config: { ...CONFIG, send_timestamps: true },
    accept: OPEN_METRICS,
    requests: [page],
  },
];

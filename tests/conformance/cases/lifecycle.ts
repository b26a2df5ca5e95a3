import { metrics, type ConformanceCase } from '../conformance-case.ts';
import { gauge, histogram, sum, type NumberPoint } from '../otlp-json.ts';

const BUCKETS = { bounds: [1, 2], counts: [1n, 2n, 3n], count: 6n, sum: 10 };

const deltas = (...points: readonly NumberPoint[]): ConformanceCase['requests'] =>
  points.map((point) => metrics(sum('d', [point], { temporality: 'delta' })));

const deltaHistograms = (...spans: readonly (readonly [start: number, time: number])[]): ConformanceCase['requests'] =>
  spans.map(([start, time]) => metrics(histogram('h', [{ ...BUCKETS, start, time }], { temporality: 'delta' })));

const total = (value: number): string[] => ['# HELP d_total ', '# TYPE d_total counter', `d_total ${value}`];

/** How series begin, go on, and end: deltas, staleness markers, expiry. */
export const lifecycleCases: readonly ConformanceCase[] = [
  { name: 'delta: one', requests: deltas({ value: 5 }) },
  {
    name: 'delta: aligned',
    requests: deltas(
      { value: 5, start: 0, time: 10 },
      { value: 7, start: 10, time: 20 },
      { value: 1, start: 20, time: 30 },
    ),
  },
  { name: 'delta: integers', requests: deltas({ value: 5n, start: 0, time: 10 }, { value: 7n, start: 10, time: 20 }) },
  {
    name: 'delta: after a gap',
    requests: deltas({ value: 5, start: 0, time: 10 }, { value: 7, start: 15, time: 20 }),
    differs: { id: 'prometheus-delta-gap', page: total(12) },
  },
  {
    name: 'delta: without start times',
    requests: deltas({ value: 5, start: -Infinity, time: 10 }, { value: 7, start: -Infinity, time: 20 }),
    differs: { id: 'prometheus-delta-gap', page: total(12) },
  },
  {
    name: 'delta: an older one',
    requests: deltas({ value: 5, start: 10, time: 20 }, { value: 7, start: 0, time: 10 }),
  },
  {
    name: 'delta: the same twice',
    requests: deltas({ value: 5, start: 0, time: 10 }, { value: 5, start: 0, time: 10 }),
  },
  {
    name: 'delta: non-monotonic',
    requests: [
      metrics(sum('u', [{ value: 5 }], { temporality: 'delta', monotonic: false })),
      metrics(sum('u', [{ value: -2, start: 10, time: 20 }], { temporality: 'delta', monotonic: false })),
    ],
    differs: { id: 'prometheus-delta-non-monotonic', page: ['# HELP u ', '# TYPE u gauge', 'u 3'] },
  },
  { name: 'delta histogram: one', requests: deltaHistograms([0, 10]) },
  { name: 'delta histogram: aligned', requests: deltaHistograms([0, 10], [10, 20], [20, 30]) },
  {
    name: 'delta histogram: after a gap',
    requests: deltaHistograms([0, 10], [15, 20]),
    differs: {
      id: 'prometheus-delta-gap',
      page: [
        '# HELP h ',
        '# TYPE h histogram',
        'h_bucket{le="1"} 2',
        'h_bucket{le="2"} 6',
        'h_bucket{le="+Inf"} 12',
        'h_sum 20',
        'h_count 12',
      ],
    },
  },
  { name: 'delta histogram: an older one', requests: deltaHistograms([10, 20], [0, 10]) },

  {
    name: 'stale: of a series that is shown',
    requests: [metrics(gauge('g', [{ value: 1 }])), metrics(gauge('g', [{ noRecordedValue: true, time: 20 }]))],
  },
  {
    name: 'stale: of a series that was never there',
    requests: [metrics(gauge('g', [{ noRecordedValue: true }]), gauge('h', [{ value: 1 }]))],
  },
  {
    name: 'stale: and back again',
    requests: [
      metrics(gauge('g', [{ value: 1 }])),
      metrics(gauge('g', [{ noRecordedValue: true, time: 20 }])),
      metrics(gauge('g', [{ value: 3, time: 30 }])),
    ],
  },
  {
    name: 'stale: with another series of the metric',
    requests: [
      metrics(
        gauge(
          'g',
          ['x', 'y'].map((a) => ({ attributes: { a }, value: 1 })),
        ),
      ),
      metrics(
        gauge('g', [
          { attributes: { a: 'x' }, noRecordedValue: true, time: 20 },
          { attributes: { a: 'y' }, value: 2, time: 20 },
        ]),
      ),
    ],
    differs: { id: 'prometheus-stale-siblings', page: ['# HELP g ', '# TYPE g gauge', 'g{a="y"} 2'] },
  },
  {
    name: 'stale: the last of two series',
    requests: [
      metrics(
        gauge(
          'g',
          ['x', 'y'].map((a) => ({ attributes: { a }, value: 1 })),
        ),
      ),
      metrics(gauge('g', [{ attributes: { a: 'y' }, noRecordedValue: true, time: 20 }])),
    ],
  },
  {
    name: 'stale: a histogram',
    requests: [
      metrics(histogram('h', [BUCKETS])),
      metrics(histogram('h', [{ count: 0n, noRecordedValue: true, time: 20 }])),
    ],
  },
  {
    name: 'stale: a counter that begins again',
    requests: [
      metrics(sum('c', [{ value: 9 }], {})),
      metrics(sum('c', [{ noRecordedValue: true, time: 20 }], {})),
      metrics(sum('c', [{ value: 1, start: 25, time: 30 }], {})),
    ],
  },

  {
    name: 'expiry: nothing is left',
    config: { metric_expiration: '100ms' },
    requests: [metrics(gauge('g', [{ value: 1 }]))],
    waitMs: 400,
  },
  {
    name: 'expiry: not yet',
    config: { metric_expiration: '1h' },
    requests: [metrics(gauge('g', [{ value: 1 }]))],
    waitMs: 400,
  },
];

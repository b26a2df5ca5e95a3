import { metrics, type ConformanceCase } from '../conformance-case.ts';
import {
  counter,
  empty,
  exponentialHistogram,
  gauge,
  histogram,
  sum,
  summary,
  type HistogramPoint,
  type NumberPoint,
} from '../otlp-json.ts';

const BUCKETS = { bounds: [0.005, 0.1, 1, 10, 1e6], counts: [1n, 2n, 0n, 3n, 4n, 5n], count: 15n, sum: 12.25 };

const histogramOf = (point: Partial<HistogramPoint>): ConformanceCase['requests'] => [
  metrics(histogram('h', [{ ...BUCKETS, ...point }], { unit: 's' })),
];

const updates = (...points: readonly NumberPoint[]): ConformanceCase['requests'] =>
  points.map((point) => metrics(counter('c', [point])));

export const kindCases: readonly ConformanceCase[] = [
  {
    name: 'gauge: several series',
    requests: [
      metrics(
        gauge(
          'g',
          ['x', 'y', 'z'].map((a) => ({ attributes: { a }, value: 1 })),
        ),
      ),
    ],
  },
  {
    name: 'gauge: an update',
    requests: [metrics(gauge('g', [{ value: 1 }])), metrics(gauge('g', [{ value: 2, time: 20 }]))],
  },
  {
    name: 'gauge: two points of one series in one metric',
    requests: [metrics(gauge('g', [{ value: 1 }, { value: 2, time: 20 }]))],
  },
  {
    name: 'gauge: two points of one series, the older one last',
    requests: [metrics(gauge('g', [{ value: 1, time: 20 }, { value: 2 }]))],
  },
  { name: 'gauge: without a time', requests: [metrics(gauge('g', [{ value: 1, time: -Infinity }]))] },
  { name: 'gauge: without points', requests: [metrics(gauge('g', []), gauge('h', [{ value: 1 }]))] },
  { name: 'metric without data', requests: [metrics(empty('n'), gauge('h', [{ value: 1 }]))] },
  { name: 'request without metrics', requests: [metrics(), []] },

  { name: 'sum: cumulative monotonic', requests: updates({ value: 5 }) },
  { name: 'sum: an update', requests: updates({ value: 5 }, { value: 7, time: 20 }) },
  { name: 'sum: the same again', requests: updates({ value: 5 }, { value: 5 }) },
  { name: 'sum: another value at the same time', requests: updates({ value: 5 }, { value: 6 }) },
  { name: 'sum: an older point', requests: updates({ value: 7, time: 20 }, { value: 5, time: 10 }) },
  { name: 'sum: a restart', requests: updates({ value: 7 }, { value: 1, start: 15, time: 20 }) },
  { name: 'sum: a value that falls without a restart', requests: updates({ value: 7 }, { value: 1, time: 20 }) },
  { name: 'sum: negative and monotonic', requests: updates({ value: -1 }) },
  { name: 'sum: cumulative non-monotonic', requests: [metrics(sum('s', [{ value: -5 }], { monotonic: false }))] },
  {
    name: 'sum: unspecified temporality',
    requests: [metrics(sum('s', [{ value: 5 }], { temporality: 'unspecified' }), gauge('g', [{ value: 1 }]))],
  },

  { name: 'histogram: cumulative', requests: histogramOf({}) },
  { name: 'histogram: with attributes', requests: histogramOf({ attributes: { a: 'x', z: 'y' } }) },
  {
    name: 'histogram: without a sum',
    requests: [metrics(histogram('h', [{ bounds: [1], counts: [1n, 1n], count: 2n }]))],
    differs: {
      id: 'prometheus-no-sum',
      page: ['# HELP h ', '# TYPE h histogram', 'h_bucket{le="1"} 1', 'h_bucket{le="+Inf"} 2', 'h_count 2'],
    },
  },
  { name: 'histogram: with minimum and maximum', requests: histogramOf({ min: 0, max: 100 }) },
  { name: 'histogram: without bounds', requests: histogramOf({ bounds: [], counts: [15n] }) },
  { name: 'histogram: without buckets', requests: histogramOf({ bounds: [], counts: [] }) },
  { name: 'histogram: of nothing', requests: histogramOf({ counts: [0n, 0n, 0n, 0n, 0n, 0n], count: 0n, sum: 0 }) },
  {
    name: 'histogram: with the infinity as bound',
    requests: histogramOf({ bounds: [1, Infinity], counts: [1n, 2n, 0n], count: 3n }),
  },
  {
    name: 'histogram: with negative bounds',
    requests: histogramOf({ bounds: [-10, -0.5, 0], counts: [1n, 2n, 3n, 4n], count: 10n, sum: -7 }),
  },
  {
    name: 'histogram: with bounds of many digits',
    requests: histogramOf({
      bounds: [0.1 + 0.2, 1e-9, 1e21].toSorted((a, b) => a - b),
      counts: [1n, 1n, 1n, 1n],
      count: 4n,
    }),
  },
  {
    name: 'histogram: with bounds in another order',
    requests: histogramOf({ bounds: [5, 1, 2], counts: [4n, 1n, 2n, 3n], count: 10n }),
  },
  {
    name: 'histogram: with a repeated bound',
    requests: histogramOf({ bounds: [1, 2, 2, 5], counts: [1n, 2n, 3n, 4n, 5n], count: 15n }),
  },
  { name: 'histogram: with a count that is not the sum of its buckets', requests: histogramOf({ count: 20n }) },
  { name: 'histogram: with a sum that is not a number', requests: histogramOf({ sum: Number.NaN }) },
  {
    name: 'histogram: with largest counts',
    requests: histogramOf({ bounds: [1], counts: [2n ** 53n + 1n, 1n], count: 2n ** 53n + 2n }),
  },
  {
    name: 'histogram: an update',
    requests: [...histogramOf({}), ...histogramOf({ counts: [2n, 2n, 0n, 3n, 4n, 5n], count: 16n, time: 20 })],
  },
  {
    name: 'histogram: an older point',
    requests: [...histogramOf({ time: 20 }), ...histogramOf({ counts: [0n, 0n, 0n, 0n, 0n, 1n], count: 1n })],
  },
  {
    name: 'histogram: an update with other bounds',
    requests: [...histogramOf({}), ...histogramOf({ bounds: [1, 2], counts: [1n, 1n, 1n], count: 3n, time: 20 })],
  },
  {
    name: 'histogram: unspecified temporality',
    requests: [metrics(histogram('h', [BUCKETS], { temporality: 'unspecified' }), gauge('g', [{ value: 1 }]))],
  },

  {
    name: 'summary: with quantiles in another order and repeated',
    requests: [
      metrics(
        summary('s', [
          {
            count: 3n,
            sum: 4,
            quantiles: [
              [0.9, 3],
              [0.5, 1],
              [0.9, 2],
            ],
          },
        ]),
      ),
    ],
  },
  {
    name: 'summary',
    requests: [
      metrics(
        summary(
          's',
          [
            {
              count: 9n,
              sum: 12.25,
              quantiles: [
                [0, 1],
                [0.5, 2],
                [0.99, 7e7],
                [1, 8],
              ],
            },
          ],
          { unit: 's' },
        ),
      ),
    ],
  },
  { name: 'summary: without quantiles', requests: [metrics(summary('s', [{ count: 9n, sum: 12.25 }]))] },
  {
    name: 'summary: a quantile that is not a number',
    requests: [metrics(summary('s', [{ count: 0n, sum: 0, quantiles: [[0.5, Number.NaN]] }]))],
  },
  {
    name: 'summary: an update',
    requests: [10, 20].map((time) =>
      metrics(summary('s', [{ count: BigInt(time), sum: time, time, quantiles: [[0.5, time]] }])),
    ),
  },
  {
    name: 'an exponential histogram of a scale below -4',
    requests: [metrics(exponentialHistogram('e', [{ count: 4n, sum: 30, scale: -5, positive: [4n] }]))],
    differs: {
      id: 'prometheus-coarse-scale',
      page: ['# HELP e ', '# TYPE e histogram', 'e_bucket{le="+Inf"} 4', 'e_sum 30', 'e_count 4'],
    },
  },
  {
    name: 'exponential histogram, as text',
    requests: [
      metrics(
        exponentialHistogram('e', [{ count: 6n, sum: 12, scale: 1, zeroCount: 1n, positive: [2n, 3n] }], { unit: 's' }),
      ),
    ],
  },
];

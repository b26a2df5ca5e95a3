import type { LoadShape } from './load-shape.ts';

/** What is measured in a case. */
export const MEASURES = {
  cpu: 'µs CPU/point',
  identity: 'scrape ms',
  gzip: 'scrape ms, gzip',
  peak: 'peak MiB',
} as const;

export type Measure = keyof typeof MEASURES;

export interface BenchCase {
  readonly name: string;
  readonly shape: LoadShape;
  /** The most that siphon may need, as a share of what the stock Collector needs. */
  readonly budget: Readonly<Partial<Record<Measure, number>>>;
}

export const cases: readonly BenchCase[] = [
  {
    name: 'sums-10k',
    shape: { kind: 'sum', series: 10_000, pointsPerRequest: 1000 },
    budget: { cpu: 0.2, identity: 0.1, gzip: 0.1 },
  },
  {
    name: 'sums-10k-small-requests',
    shape: { kind: 'sum', series: 10_000, pointsPerRequest: 100 },
    budget: { cpu: 0.25 },
  },
  {
    name: 'histograms-10k',
    shape: { kind: 'histogram', series: 10_000, pointsPerRequest: 1000 },
    budget: { cpu: 0.25 },
  },
  {
    name: 'sums-100k',
    shape: { kind: 'sum', series: 100_000, pointsPerRequest: 1000 },
    budget: { cpu: 0.2, identity: 0.05, gzip: 0.05, peak: 0.4 },
  },
];

/** How cost grows with the number of series and of attributes; siphon alone. */
export const growthCases: readonly BenchCase[] = [
  ...[1000, 10_000, 100_000, 1_000_000].map((series) => growthCase(series, 4)),
  ...[0, 16].map((attributes) => growthCase(10_000, attributes)),
];

function growthCase(series: number, attributes: number): BenchCase {
  return {
    name: `sums-${series / 1000}k-${attributes}-attributes`,
    shape: { kind: 'sum', series, pointsPerRequest: 1000, attributes },
    budget: {},
  };
}

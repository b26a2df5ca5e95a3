import type { Protocol } from './generator.ts';
import type { LoadShape } from './load-shape.ts';

/** The measures of every case. */
const COSTS = {
  cpu: 'µs CPU/point',
  identity: 'scrape ms',
  gzip: 'scrape ms, gzip',
  protobuf: 'scrape ms, protobuf',
  first: 'first scrape ms, gzip',
  peak: 'peak MiB',
} as const;

/** The additional measures of a case with `whileScraped`. */
const WAITS = { wait: 'OTLP wait ms, p99', longestWait: 'OTLP wait ms, max' } as const;

export const MEASURES = { span: 'µs CPU/span', ...COSTS, ...WAITS } as const;

export type Measure = keyof typeof MEASURES;

/** Medians over all rounds, except `wait` (99th percentile), `longestWait` and `peak` (maxima). */
export type Result = Readonly<Partial<Record<Measure, number>>>;

export interface Budgeted {
  readonly name: string;
  /** The upper limit for siphon, as a share of the stock Collector's value. */
  readonly budget: Readonly<Partial<Record<Measure, number>>>;
  /** The upper limit for siphon, in the unit of the measure. */
  readonly limit?: Readonly<Partial<Record<Measure, number>>>;
}

/** Metrics in, a scrape page out. */
export interface BenchCase extends Budgeted {
  readonly shape: LoadShape;
  /** HTTP by default. */
  readonly protocol?: Protocol;
  /** Sends requests during scrapes too and measures how long they wait. */
  readonly whileScraped?: boolean;
}

export const cases: readonly BenchCase[] = [
  {
    name: 'sums-10k',
    shape: { kind: 'sum', series: 10_000, pointsPerRequest: 1000 },
    budget: { cpu: 0.2, identity: 0.1, gzip: 0.1, first: 0.1 },
    limit: { identity: 15, gzip: 15, first: 15 },
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
    name: 'sums-10k-grpc',
    shape: { kind: 'sum', series: 10_000, pointsPerRequest: 1000 },
    protocol: 'grpc',
    budget: { cpu: 0.25 },
  },
  {
    name: 'sums-10k-grpc-small-requests',
    shape: { kind: 'sum', series: 10_000, pointsPerRequest: 100 },
    protocol: 'grpc',
    budget: { cpu: 0.25 },
  },
  {
    name: 'sums-100k',
    shape: { kind: 'sum', series: 100_000, pointsPerRequest: 1000 },
    budget: { cpu: 0.2, identity: 0.05, gzip: 0.05, peak: 0.4 },
    limit: { longestWait: 50 },
    whileScraped: true,
  },
];

/** Traces in, batches out. */
export interface ForwardingCase extends Budgeted {
  readonly compression: 'none' | 'gzip';
  /** The queue is on disk. */
  readonly stored?: boolean;
}

/** Traces in, envelopes out. The stock Collector's exporter of that name does something else. */
export interface SentryCase extends Budgeted {
  readonly protocol: 'spans' | 'transactions';
  readonly spansPerTrace: number;
}

export const sentryCases: readonly SentryCase[] = [
  { name: 'sentry-spans', protocol: 'spans', spansPerTrace: 100, budget: {}, limit: { span: 6 } },
  { name: 'sentry-spans-10', protocol: 'spans', spansPerTrace: 10, budget: {} },
  { name: 'sentry-transactions', protocol: 'transactions', spansPerTrace: 100, budget: {}, limit: { span: 6 } },
  { name: 'sentry-transactions-10', protocol: 'transactions', spansPerTrace: 10, budget: {} },
];

export const forwardingCases: readonly ForwardingCase[] = [
  { name: 'spans-forwarded', compression: 'none', budget: { span: 0.25 } },
  { name: 'spans-forwarded-stored', compression: 'gzip', stored: true, budget: { span: 0.6 } },
  { name: 'spans-forwarded-gzip', compression: 'gzip', budget: { span: 0.5 } },
];

/** Traces in, the same traces out, after each policy has looked at them. */
export interface SamplingCase extends Budgeted {
  readonly samples: 'traces';
}

export const samplingCases: readonly SamplingCase[] = [
  { name: 'spans-sampled', samples: 'traces', budget: { span: 1 } },
];

/** Traces in, a scrape page with their counts out. */
export interface CountingCase extends Budgeted {
  readonly counts: 'spans';
}

export const countingCases: readonly CountingCase[] = [
  { name: 'spans-counted', counts: 'spans', budget: { span: 0.5 } },
];

/** Measure how the cost grows with the number of series and attributes. They run siphon only. */
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

/** The load of the generator. Each pass sends every series once, with `pointsPerRequest` series in each request. */
export interface LoadShape {
  readonly kind: keyof typeof SHOWN_AS;
  readonly series: number;
  readonly pointsPerRequest: number;
  /** Attributes of a point in addition to `id`, which identifies the series; 2 by default. */
  readonly attributes?: number;
  /** Gives names, a label, the target and the bounds of histograms that no other number has. */
  readonly variety?: number;
}

/** The sample on the scrape page that contains the value of a series. */
export const SHOWN_AS = { sum: 'bench_requests_total', histogram: 'bench_latency_seconds_count' } as const;

/** The value of a series after a pass. It differs between series and increases with each pass, like a counter. */
export function valueAfter(pass: number, series: number): number {
  return pass * 1_000_000 + series + BUCKETED;
}

/** The constant number of observations below the last bound of a histogram. All further observations are above it. */
export const BUCKETED = 11;

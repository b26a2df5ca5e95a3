/** What the generator sends: every series once a pass, `pointsPerRequest` of them in one request. */
export interface LoadShape {
  readonly kind: keyof typeof SHOWN_AS;
  readonly series: number;
  readonly pointsPerRequest: number;
  /** Attributes of a point beside the one that tells the series apart; 2 when absent. */
  readonly attributes?: number;
}

/** The sample on the scrape page that carries a series' value. */
export const SHOWN_AS = { sum: 'bench_requests_total', histogram: 'bench_latency_seconds_count' } as const;

/** The value of a series after a pass: different for each series and larger with each pass, as a counter's is. */
export function valueAfter(pass: number, series: number): number {
  return pass * 1_000_000 + series + BUCKETED;
}

/** Observations of a histogram below its last bound, which do not change; every later one lies above it. */
export const BUCKETED = 11;

import { median } from './median.ts';

export interface SoakOrder {
  readonly minutes: number;
  readonly pointsPerSecond: number;
  readonly series: number;
  readonly churnPercentPerMinute: number;
  readonly expirationMinutes: number;
}

export interface Sample {
  readonly minute: number;
  readonly residentMebibytes: number;
  /** On the page of the last scrape. */
  readonly series: number;
  readonly scrapeMs: number;
}

export interface Verdict {
  /** Of the resident set over the second half, by least squares. */
  readonly growthMebibytesPer10Minutes: number;
  readonly medianMebibytes: number;
  /** What the page should show: those alive, and those replaced that have not expired yet. */
  readonly expectedSeries: number;
  readonly seriesRange: readonly [lowest: number, highest: number];
  readonly medianScrapeMs: number;
  /** What is wrong; empty when the soak passed. */
  readonly findings: readonly string[];
  readonly passed: boolean;
}

/** Room for the saw teeth that garbage collection makes of a flat line. */
const MAX_GROWTH_MEBIBYTES_PER_10_MINUTES = 10;
const SERIES_TOLERANCE = 0.05;
const MIN_RATE = 0.95;

/** Judges the second half of a soak; by then series have expired as often as new ones came. */
export function verdict(
  order: SoakOrder,
  samples: readonly Sample[],
  load: { readonly acceptedPerSecond: number; readonly failure: string | undefined },
): Verdict {
  const settled = samples.filter(({ minute }) => minute >= order.minutes / 2);
  const growth = 10 * slope(settled.map(({ minute, residentMebibytes }) => [minute, residentMebibytes]));
  const expectedSeries = order.series * (1 + (order.churnPercentPerMinute / 100) * order.expirationMinutes);
  const counts = settled.map(({ series }) => series);
  const [lowest, highest] = [Math.min(...counts), Math.max(...counts)];
  const findings = [
    load.failure,
    settled.length < 3 ? 'too few samples' : undefined,
    growth > MAX_GROWTH_MEBIBYTES_PER_10_MINUTES ? 'memory grows' : undefined,
    lowest < expectedSeries * (1 - SERIES_TOLERANCE) ? 'series are missing' : undefined,
    highest > expectedSeries * (1 + SERIES_TOLERANCE) ? 'series do not expire' : undefined,
    load.acceptedPerSecond < order.pointsPerSecond * MIN_RATE ? 'the load was not kept up' : undefined,
  ].filter((finding) => finding !== undefined);
  return {
    growthMebibytesPer10Minutes: growth,
    medianMebibytes: median(settled.map(({ residentMebibytes }) => residentMebibytes)),
    expectedSeries,
    seriesRange: [lowest, highest],
    medianScrapeMs: median(settled.map(({ scrapeMs }) => scrapeMs)),
    findings,
    passed: findings.length === 0,
  };
}

function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

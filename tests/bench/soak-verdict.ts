import { median } from './median.ts';

export interface SoakOrder {
  readonly minutes: number;
  readonly pointsPerSecond: number;
  readonly series: number;
  readonly churnPercentPerMinute: number;
  readonly expirationMinutes: number;
  /** True if new series also have new names, labels, targets and buckets. */
  readonly varies: boolean;
}

export interface Sample {
  readonly minute: number;
  readonly residentMebibytes: number;
  /** The number of series in the last scrape. */
  readonly series: number;
  readonly scrapeMs: number;
}

export interface Verdict {
  /** Growth of the resident set in the second half, by least squares over the lowest value of each window. */
  readonly growthMebibytesPerHour: number;
  readonly medianMebibytes: number;
  /** The active series plus the replaced series that have not expired yet. */
  readonly expectedSeries: number;
  readonly seriesRange: readonly [lowest: number, highest: number];
  readonly medianScrapeMs: number;
  /** The problems found; empty if the soak passed. */
  readonly findings: readonly string[];
  readonly passed: boolean;
}

/** In a short run, the sawtooth of garbage collection is larger than a leak. */
const MAX_GROWTH_MEBIBYTES_PER_HOUR = 60;
/** For runs of `LONG_MINUTES` and more. */
const MAX_LONG_GROWTH_MEBIBYTES_PER_HOUR = 0.5;
const LONG_MINUTES = 120;
/** The windows of the second half. The lowest value of a window is that after a collection of garbage. */
const WINDOWS = 12;
const SERIES_TOLERANCE = 0.05;
const MIN_RATE = 0.95;

/** Evaluates the second half of a soak. By then, series expire at the rate at which new ones appear. */
export function verdict(
  order: SoakOrder,
  samples: readonly Sample[],
  load: { readonly acceptedPerSecond: number; readonly failure: string | undefined },
): Verdict {
  const settled = samples.filter(({ minute }) => minute >= order.minutes / 2);
  const growth = 60 * slope(lowestOfWindows(settled));
  const allowed = order.minutes < LONG_MINUTES ? MAX_GROWTH_MEBIBYTES_PER_HOUR : MAX_LONG_GROWTH_MEBIBYTES_PER_HOUR;
  const expectedSeries = order.series * (1 + (order.churnPercentPerMinute / 100) * order.expirationMinutes);
  const counts = settled.map(({ series }) => series);
  const [lowest, highest] = [Math.min(...counts), Math.max(...counts)];
  const findings = [
    load.failure,
    settled.length < 3 ? 'too few samples' : undefined,
    growth > allowed ? 'memory grows' : undefined,
    lowest < expectedSeries * (1 - SERIES_TOLERANCE) ? 'series are missing' : undefined,
    highest > expectedSeries * (1 + SERIES_TOLERANCE) ? 'series do not expire' : undefined,
    load.acceptedPerSecond < order.pointsPerSecond * MIN_RATE ? 'the load was not kept up' : undefined,
  ].filter((finding) => finding !== undefined);
  return {
    growthMebibytesPerHour: growth,
    medianMebibytes: median(settled.map(({ residentMebibytes }) => residentMebibytes)),
    expectedSeries,
    seriesRange: [lowest, highest],
    medianScrapeMs: median(settled.map(({ scrapeMs }) => scrapeMs)),
    findings,
    passed: findings.length === 0,
  };
}

function lowestOfWindows(samples: readonly Sample[]): (readonly [minute: number, mebibytes: number])[] {
  const length = Math.max(1, Math.floor(samples.length / WINDOWS));
  const windows = Map.groupBy(samples, (_sample, index) => Math.floor(index / length));
  return [...windows.values()].map((window) => {
    const lowest = window.reduce((low, sample) => (sample.residentMebibytes < low.residentMebibytes ? sample : low));
    return [lowest.minute, lowest.residentMebibytes];
  });
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

import { SERIES_STEPS, type Budget, type Steps } from '../budget.ts';
import { drop, keyOf, METRIC_NAME, type Labels } from '../labels.ts';
import { emptySeries, put, type StepSeries, type Vector } from './vector.ts';

const OF_BUCKET: ReadonlySet<string> = new Set([METRIC_NAME, 'le']);

interface Histogram {
  readonly labels: Labels;
  readonly buckets: { readonly bound: number; readonly series: StepSeries }[];
}

interface Bucket {
  readonly bound: number;
  /** The count of this bucket and all below it. */
  count: number;
}

/** The quantile of classic histograms, whose buckets are series with the label `le`. Other series are left out. */
export function* histogramQuantiles(quantiles: Float64Array, vector: Vector, budget: Budget): Steps<Vector> {
  const results: StepSeries[] = [];
  for (const { labels, buckets } of yield* histogramsIn(vector, budget)) {
    const result = emptySeries(labels, quantiles.length);
    for (const [step, quantile] of quantiles.entries()) {
      if (budget.spend(1 + buckets.length * BUCKET_STEPS)) yield;
      const present = buckets.filter(({ series }) => series.known[step] === 1);
      if (present.length === 0) continue;
      const counts = present.map(({ bound, series }) => ({ bound, count: series.values[step] as number }));
      put(result, step, bucketQuantile(quantile, counts));
    }
    results.push(result);
  }
  return results;
}

/** A bucket costs this many small steps at each step of the query. */
const BUCKET_STEPS = 4;

function* histogramsIn(vector: Vector, budget: Budget): Steps<readonly Histogram[]> {
  const histograms = new Map<string, Histogram>();
  for (const series of vector) {
    if (budget.spend(SERIES_STEPS)) yield;
    const bound = boundOf(series.labels.get('le') ?? '');
    if (bound === undefined) continue;
    const labels = drop(series.labels, OF_BUCKET);
    const key = keyOf(labels);
    const histogram = histograms.get(key) ?? { labels, buckets: [] };
    histogram.buckets.push({ bound, series });
    histograms.set(key, histogram);
  }
  for (const { buckets } of histograms.values()) buckets.sort((a, b) => (a.bound < b.bound ? -1 : 1));
  return [...histograms.values()];
}

function boundOf(text: string): number | undefined {
  const infinity = /^([-+]?)inf(?:inity)?$/i.exec(text);
  if (infinity !== null) return infinity[1] === '-' ? -Infinity : Infinity;
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

function bucketQuantile(quantile: number, unsorted: Bucket[]): number {
  if (Number.isNaN(quantile)) return NaN;
  if (quantile < 0) return -Infinity;
  if (quantile > 1) return Infinity;
  if (unsorted.at(-1)?.bound !== Infinity) return NaN;
  const buckets = increasing(unsorted);
  const total = (buckets.at(-1) as Bucket).count;
  if (buckets.length < 2 || total === 0) return NaN;
  const rank = quantile * total;
  const index = firstWith(buckets, rank);
  const { bound, count } = buckets[index] as Bucket;
  if (index === buckets.length - 1) return (buckets[index - 1] as Bucket).bound;
  if (index === 0 && bound <= 0) return bound;
  const below = index === 0 ? { bound: 0, count: 0 } : (buckets[index - 1] as Bucket);
  return below.bound + (bound - below.bound) * ((rank - below.count) / (count - below.count));
}

/** It bisects, because with NaN among the counts a search in order has another result. */
function firstWith(buckets: readonly Bucket[], rank: number): number {
  let [low, high] = [0, buckets.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((buckets[middle] as Bucket).count >= rank) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Adds up buckets with one bound. Rates leave counts that decrease, so those are raised. */
function increasing(sorted: readonly Bucket[]): Bucket[] {
  const buckets: Bucket[] = [];
  for (const { bound, count } of sorted) {
    const last = buckets.at(-1);
    if (last?.bound === bound) last.count += count;
    else buckets.push({ bound, count });
  }
  let most = (buckets[0] as Bucket).count;
  for (const bucket of buckets) {
    if (bucket.count > most) most = bucket.count;
    else if (bucket.count < most) bucket.count = most;
  }
  return buckets;
}

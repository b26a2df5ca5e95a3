import { SERIES_STEPS, type Budget, type Steps } from '../budget.ts';
import { drop, keyOf, METRIC_NAME, type Labels } from '../labels.ts';
import { EmptySeries, put, type StepSeries, type Vector } from './vector.ts';

const OF_BUCKET: ReadonlySet<string> = new Set([METRIC_NAME, 'le']);

interface Histogram {
  readonly labels: Labels;
  readonly buckets: { readonly bound: number; readonly series: StepSeries }[];
}

/** The quantile of classic histograms, whose buckets are series with the label `le`. Other series are left out. */
export function* histogramQuantiles(quantiles: Float64Array, vector: Vector, budget: Budget): Steps<Vector> {
  const results: StepSeries[] = [];
  const histograms = yield* histogramsIn(vector, budget);
  const empty = new EmptySeries(quantiles.length, histograms.length);
  const counts = new BucketCounts();
  for (const { labels, buckets } of histograms) {
    const result = empty.next(labels);
    const computeSteps = (from: number, to: number): void => {
      for (let step = from; step < to; step++) {
        counts.clear();
        for (const { bound, series } of buckets) {
          if (series.known[step] === 1) counts.add(bound, series.values[step] as number);
        }
        if (counts.length > 0) put(result, step, counts.quantile(quantiles[step] as number));
      }
    };
    yield* budget.inParts(quantiles.length, computeSteps, 1 + buckets.length * BUCKET_STEPS);
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

/** The buckets of a histogram at one moment, with rising bounds. A count includes all buckets below. */
class BucketCounts {
  readonly #bounds: number[] = [];
  readonly #counts: number[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  /** Adds up buckets with one bound. */
  add(bound: number, count: number): void {
    const last = this.#length - 1;
    if (last >= 0 && this.#bounds[last] === bound) {
      this.#counts[last] = this.#countAt(last) + count;
      return;
    }
    this.#bounds[this.#length] = bound;
    this.#counts[this.#length++] = count;
  }

  /** There must be a bucket. */
  quantile(quantile: number): number {
    if (Number.isNaN(quantile)) return NaN;
    if (quantile < 0) return -Infinity;
    if (quantile > 1) return Infinity;
    const last = this.#length - 1;
    if (this.#boundAt(last) !== Infinity) return NaN;
    this.#raise();
    const total = this.#countAt(last);
    if (last === 0 || total === 0) return NaN;
    const rank = quantile * total;
    const index = this.#firstWith(rank);
    const bound = this.#boundAt(index);
    if (index === last) return this.#boundAt(last - 1);
    if (index === 0 && bound <= 0) return bound;
    const [lower, below] = index === 0 ? [0, 0] : [this.#boundAt(index - 1), this.#countAt(index - 1)];
    return lower + (bound - lower) * ((rank - below) / (this.#countAt(index) - below));
  }

  /** Rates leave counts that decrease. */
  #raise(): void {
    let most = this.#countAt(0);
    for (let index = 1; index < this.#length; index++) {
      const count = this.#countAt(index);
      if (count > most) most = count;
      else if (count < most) this.#counts[index] = most;
    }
  }

  /** It bisects, because with NaN among the counts a search in order has another result. */
  #firstWith(rank: number): number {
    let [low, high] = [0, this.#length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#countAt(middle) >= rank) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #boundAt(index: number): number {
    return this.#bounds[index] as number;
  }

  #countAt(index: number): number {
    return this.#counts[index] as number;
  }
}

/** The exemplars of one instrument: of each series and bucket the newest, and the highest since the last export. */
import type { SpanContext } from '@opentelemetry/api';

export interface Exemplar {
  readonly value: number;
  readonly timeMs: number;
  /** The ids. A whole context would keep alive what its request holds. */
  readonly span: SpanContext;
}

/** The number of series and buckets of the whole process that can still begin to have exemplars. */
export interface ExemplarBudget {
  left: number;
}

export class KeptExemplars {
  readonly #boundaries: readonly number[];
  readonly #budget: ExemplarBudget;
  /** The buckets of each series. */
  readonly #series = new Map<string, (Bucket | undefined)[]>();
  #interval = 0;

  /** Without boundaries, a series has one bucket. */
  constructor(boundaries: readonly number[], budget: ExemplarBudget) {
    this.#boundaries = boundaries;
    this.#budget = budget;
  }

  /** Does nothing if the budget is used up and the bucket has no exemplar. */
  add(series: string, value: number, timeMs: number, span: SpanContext): void {
    let buckets = this.#series.get(series);
    if (buckets === undefined) {
      if (this.#budget.left === 0) return;
      buckets = [];
      this.#series.set(series, buckets);
    }
    const index = this.#bucketOf(value);
    let bucket = buckets[index];
    if (bucket === undefined) {
      if (this.#budget.left === 0) return;
      this.#budget.left--;
      bucket = new Bucket();
      buckets[index] = bucket;
    }
    bucket.replace(value, timeMs, span, this.#interval);
  }

  /** Returns those of a series since `fromMs`, oldest first: the newest of a bucket comes after its highest. */
  of(series: string, fromMs: number): readonly Exemplar[] {
    const exemplars: Exemplar[] = [];
    // The array has holes.
    for (const bucket of this.#series.get(series) ?? [])
      if (bucket !== undefined) exemplars.push(...bucket.exemplars());
    return exemplars.filter(({ timeMs }) => timeMs >= fromMs).toSorted((a, b) => a.timeMs - b.timeMs);
  }

  /**
   * Exemplars stay until the next measurement of their bucket, however low. If the budget is used up, buckets without a
   * measurement in the interval that ends make room for others.
   */
  beginInterval(): void {
    if (this.#budget.left === 0) this.#makeRoom();
    this.#interval++;
  }

  #makeRoom(): void {
    for (const [series, buckets] of this.#series) {
      const kept = buckets.map((bucket) => (bucket?.isOf(this.#interval) === true ? bucket : undefined));
      this.#budget.left += countOf(buckets) - countOf(kept);
      if (countOf(kept) === 0) this.#series.delete(series);
      else this.#series.set(series, kept);
    }
  }

  /** Upper bounds belong to their bucket. */
  #bucketOf(value: number): number {
    const boundaries = this.#boundaries;
    let [low, high] = [0, boundaries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((boundaries[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function countOf(buckets: readonly (Bucket | undefined)[]): number {
  return buckets.filter((bucket) => bucket !== undefined).length;
}

/** Its fields are replaced, so that a measurement allocates nothing. */
class Bucket {
  #value = 0;
  #timeMs = 0;
  #span: SpanContext | undefined;
  #interval = -1;
  /** The highest of the interval. */
  #highestValue = 0;
  #highestTimeMs = 0;
  #highestSpan: SpanContext | undefined;

  replace(value: number, timeMs: number, span: SpanContext, interval: number): void {
    this.#value = value;
    this.#timeMs = timeMs;
    this.#span = span;
    if (this.#interval === interval && value < this.#highestValue) return;
    this.#interval = interval;
    this.#highestValue = value;
    this.#highestTimeMs = timeMs;
    this.#highestSpan = span;
  }

  /** True if the bucket has a measurement in the current interval. */
  isOf(interval: number): boolean {
    return this.#interval === interval;
  }

  exemplars(): readonly Exemplar[] {
    if (this.#span === undefined || this.#highestSpan === undefined) return [];
    const newest = { value: this.#value, timeMs: this.#timeMs, span: this.#span };
    if (this.#highestSpan === this.#span && this.#highestValue === this.#value) return [newest];
    return [{ value: this.#highestValue, timeMs: this.#highestTimeMs, span: this.#highestSpan }, newest];
  }
}

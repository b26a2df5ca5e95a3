import type { SeriesExemplar } from '../../../../engine/metric-history.ts';
import type { BucketLayout } from './bucket-layout.ts';
import type { NativeHistogram } from './native-histograms.ts';

/** Beyond this number, the exemplars of the least recently updated series are removed. */
const MAX_EXEMPLARS = 50_000;

export type Exemplar = SeriesExemplar;

/** The buckets of a series: none for a counter, native ones for an exponential histogram. */
export interface BucketsOfRow {
  readonly layout: BucketLayout | undefined;
  readonly native: NativeHistogram | undefined;
}

/**
 * The exemplar of each bucket, in the order of their updates. A counter has only the bucket 0. The numbers of native
 * buckets have a meaning only here.
 */
export type ExemplarsByBucket = ReadonlyMap<number, Exemplar>;

/** The latest exemplar of each counter and of each bucket. They stay until another one takes the place. */
export class Exemplars {
  readonly #kept = new Map<number, RowExemplars>();
  #count = 0;

  /** Keeps the exemplars of a point that was recorded in the row. */
  add(row: number, exemplars: readonly Exemplar[], buckets: BucketsOfRow): void {
    if (exemplars.length === 0) return;
    const kept = this.#kept.get(row) ?? new RowExemplars();
    this.#count -= kept.byBucket.size;
    kept.add(exemplars, buckets);
    this.#count += kept.byBucket.size;
    this.#kept.delete(row);
    this.#kept.set(row, kept);
    while (this.#count > MAX_EXEMPLARS && this.#kept.size > 1) this.remove(this.#kept.keys().next().value as number);
  }

  /** One for each bucket that has an exemplar. */
  of(row: number): ExemplarsByBucket | undefined {
    return this.#kept.get(row)?.byBucket;
  }

  /** To be called also when the bounds of the row change. */
  remove(row: number): void {
    this.#count -= this.#kept.get(row)?.byBucket.size ?? 0;
    this.#kept.delete(row);
  }

  /** The series gets another row. */
  move(from: number, to: number): void {
    const kept = this.#kept.get(from);
    if (kept === undefined) return;
    this.#kept.delete(from);
    this.#kept.set(to, kept);
  }
}

class RowExemplars {
  byBucket = new Map<number, Exemplar>();
  /** The scale of the native buckets. A counter and a histogram with bounds have no scale. */
  #scale: number | undefined;

  add(exemplars: readonly Exemplar[], buckets: BucketsOfRow): void {
    const { native } = buckets;
    if (native?.scale !== this.#scale) {
      this.#scale = native?.scale;
      const before = this.byBucket;
      this.byBucket = new Map();
      for (const exemplar of before.values()) this.#put(exemplar, buckets);
    }
    for (const exemplar of exemplars) this.#put(exemplar, buckets);
    if (native === undefined) return;
    // Values that are not in the histogram would be in any number of buckets.
    const bucketCount = native.positive.size + native.negative.size + 1;
    while (this.byBucket.size > bucketCount) this.byBucket.delete(this.byBucket.keys().next().value as number);
  }

  #put(exemplar: Exemplar, buckets: BucketsOfRow): void {
    const bucket = bucketOf(exemplar.value, buckets);
    this.byBucket.delete(bucket);
    this.byBucket.set(bucket, exemplar);
  }
}

function bucketOf(value: number, { layout, native }: BucketsOfRow): number {
  if (native !== undefined) return nativeBucketOf(value, native);
  if (layout === undefined) return 0;
  const bucket = layout.values.findIndex((bound) => value <= bound);
  return bucket < 0 ? layout.values.length : bucket;
}

/** Above the indexes of all doubles at the finest scale. */
const NEGATIVE = 2 ** 20;
const ZERO = 2 ** 21;

/** The logarithm is rounded: a value next to a bound may count for the bucket on the other side of it. */
function nativeBucketOf(value: number, { scale, zeroThreshold }: NativeHistogram): number {
  if (Math.abs(value) <= zeroThreshold) return ZERO;
  const index = Math.ceil(Math.log2(Math.abs(value)) * 2 ** scale);
  return value < 0 ? index + NEGATIVE : index;
}

import type { Total } from './series-table.ts';

/** Prometheus supports scales from -4 to 8. */
const MAX_SCALE = 8;
const MIN_SCALE = -4;
/** A histogram with more buckets is shown with wider ones. */
const MAX_BUCKETS = 1024;

/** Readers stop here. A histogram with as many buckets is shown without buckets. */
export const MAX_SENT_BUCKETS = 8192;

/** Counts by index: bucket `i` holds (base^(i-1), base^i], where base is 2^2^-scale. */
export type Buckets = ReadonlyMap<number, number>;

export interface NativeHistogram {
  readonly scale: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
}

/** The buckets of exponential histograms, for protobuf pages. Their counts and sums are in the series table. */
export class NativeHistograms {
  readonly #histograms = new Map<number, NativeHistogram>();
  #bytes = 0;

  /** An estimate of the memory of all buckets. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Stores the histogram of a point, or adds it to the stored one.
   *
   * @returns false if its buckets do not add up to the total. Then, and if they are too coarse or too many, it is shown
   *   without buckets.
   */
  set(row: number, sent: NativeHistogram, { adds, total }: { readonly adds: boolean; readonly total: Total }): boolean {
    const known = adds ? this.#histograms.get(row) : undefined;
    const histogram = fitted(known === undefined ? sent : added(known, sent));
    const isTooLarge = sent.positive.size >= MAX_SENT_BUCKETS || sent.negative.size >= MAX_SENT_BUCKETS;
    const addsUp = isConsistent(histogram, total);
    if (isTooLarge || histogram.scale < MIN_SCALE || !addsUp) {
      this.remove(row);
      return addsUp || isTooLarge;
    }
    const previous = this.#histograms.get(row);
    this.#bytes += histogramBytes(histogram) - (previous === undefined ? 0 : histogramBytes(previous));
    this.#histograms.set(row, histogram);
    return true;
  }

  of(row: number): NativeHistogram | undefined {
    return this.#histograms.get(row);
  }

  remove(row: number): void {
    const histogram = this.#histograms.get(row);
    if (histogram === undefined) return;
    this.#histograms.delete(row);
    this.#bytes -= histogramBytes(histogram);
  }

  /** The series gets another row. */
  move(from: number, to: number): void {
    const histogram = this.#histograms.get(from);
    if (histogram === undefined) return;
    this.#histograms.delete(from);
    this.#histograms.set(to, histogram);
  }
}

const HISTOGRAM_BYTES = 300;
/** An entry of a `Map`, whose table has spare room. */
const BUCKET_BYTES = 40;

function histogramBytes({ positive, negative }: NativeHistogram): number {
  return HISTOGRAM_BYTES + (positive.size + negative.size) * BUCKET_BYTES;
}

/** Beyond the index of the largest double, at the finest scale. */
const MAX_INDEX = 2 ** 20;

/** The check of Prometheus: an observation of NaN is counted, but in no bucket. */
function isConsistent({ zeroCount, positive, negative }: NativeHistogram, total: Total): boolean {
  let inBuckets = zeroCount;
  for (const [index, inBucket] of [...positive, ...negative]) {
    if (Math.abs(index) > MAX_INDEX) return false;
    inBuckets += inBucket;
  }
  const { count } = total;
  return Number.isSafeInteger(count) && (Number.isNaN(total.sum) ? inBuckets <= count : inBuckets === count);
}

/** The histogram at a scale that Prometheus supports and that needs at most `MAX_BUCKETS`. */
function fitted(histogram: NativeHistogram): NativeHistogram {
  let fitting = downscaled(histogram, Math.min(histogram.scale, MAX_SCALE));
  while (fitting.positive.size + fitting.negative.size > MAX_BUCKETS && fitting.scale >= MIN_SCALE) {
    fitting = downscaled(fitting, fitting.scale - 1);
  }
  return fitting;
}

function added(one: NativeHistogram, other: NativeHistogram): NativeHistogram {
  const scale = Math.min(one.scale, other.scale);
  const [a, b] = [downscaled(one, scale), downscaled(other, scale)];
  return {
    scale,
    zeroThreshold: Math.max(a.zeroThreshold, b.zeroThreshold),
    zeroCount: a.zeroCount + b.zeroCount,
    positive: sum([...a.positive, ...b.positive]),
    negative: sum([...a.negative, ...b.negative]),
  };
}

function downscaled(histogram: NativeHistogram, scale: number): NativeHistogram {
  if (histogram.scale === scale) return histogram;
  const width = 2 ** (histogram.scale - scale);
  const merge = (buckets: Buckets): Buckets =>
    sum([...buckets].map(([index, count]) => [Math.floor((index - 1) / width) + 1, count]));
  return { ...histogram, scale, positive: merge(histogram.positive), negative: merge(histogram.negative) };
}

function sum(counts: readonly (readonly [index: number, count: number])[]): Buckets {
  const buckets = new Map<number, number>();
  for (const [index, count] of counts) buckets.set(index, (buckets.get(index) ?? 0) + count);
  return buckets;
}

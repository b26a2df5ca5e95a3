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

  /** Stores the histogram of a point, or adds it to the stored one. */
  set(row: number, sent: NativeHistogram, adds: boolean): void {
    const known = adds ? this.#histograms.get(row) : undefined;
    const histogram = fitted(known === undefined ? sent : added(known, sent));
    const isTooLarge = sent.positive.size >= MAX_SENT_BUCKETS || sent.negative.size >= MAX_SENT_BUCKETS;
    if (isTooLarge || histogram.scale < MIN_SCALE) this.#histograms.delete(row);
    else this.#histograms.set(row, histogram);
  }

  of(row: number): NativeHistogram | undefined {
    return this.#histograms.get(row);
  }

  remove(row: number): void {
    this.#histograms.delete(row);
  }
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

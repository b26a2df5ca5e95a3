import type { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import type { Point } from '../points/point.ts';

/** Prometheus knows schemas from -4 to 8. */
const MAX_SCALE = 8;
const MIN_SCALE = -4;
/** What observations of an unknown threshold were nearer to 0 than, as in the stock Collector. */
const DEFAULT_ZERO_THRESHOLD = 1e-128;
/** A histogram with more is shown in less detail. */
const MAX_BUCKETS = 1024;

/** What is read of a point. Its histogram is not shown in detail where it has more. */
const MAX_SENT_BUCKETS = 8192;

/** Counts by index: bucket `i` holds (base^(i-1), base^i], where base is 2^2^-scale. */
type Buckets = ReadonlyMap<number, number>;

export interface NativeHistogram {
  readonly scale: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
}

/** The buckets of exponential histograms, for the format that shows them. Their counts and sums are in the series table. */
export class NativeHistograms {
  readonly #histograms = new Map<number, NativeHistogram>();

  /** Takes what the point says, or adds it to what is there. */
  set(row: number, point: Point, adds: boolean): void {
    const sent = read(point.reader(point.start, point.end));
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

/** In a scale that Prometheus knows, and coarse enough for the number of its buckets. */
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

function read(reader: WireReader): NativeHistogram {
  let scale = 0;
  let zeroCount = 0;
  let zeroThreshold = 0;
  let positive: Buckets = new Map();
  let negative = positive;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 6 << 3) scale = zigzag(reader.varint());
    else if (tag === ((7 << 3) | 1)) zeroCount = Number(reader.fixed64());
    else if (tag === ((8 << 3) | 2)) positive = readBuckets(reader.message());
    else if (tag === ((9 << 3) | 2)) negative = readBuckets(reader.message());
    else if (tag === ((14 << 3) | 1)) zeroThreshold = reader.double();
    else reader.skip(tag);
  }
  return { scale, zeroCount, zeroThreshold: zeroThreshold || DEFAULT_ZERO_THRESHOLD, positive, negative };
}

/** OTLP's bucket `offset` is the one above base^offset, so that its index is one less. */
function readBuckets(reader: WireReader): Buckets {
  const counts: number[] = [];
  let offset = 0;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 1 << 3) offset = zigzag(reader.varint());
    else if (tag === ((2 << 3) | 2)) readPacked(reader.message(), counts);
    else if (tag === 2 << 3 && counts.length < MAX_SENT_BUCKETS) counts.push(reader.varint());
    else reader.skip(tag);
  }
  const buckets = new Map<number, number>();
  for (const [i, count] of counts.entries()) buckets.set(offset + i + 1, count);
  return buckets;
}

function readPacked(packed: WireReader, counts: number[]): void {
  while (!packed.done && counts.length < MAX_SENT_BUCKETS) counts.push(packed.varint());
}

function zigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

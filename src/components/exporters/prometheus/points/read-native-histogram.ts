import { fieldTags, packed } from '../../../../engine/otlp/schema.ts';
import type { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { MAX_SENT_BUCKETS, type Buckets, type NativeHistogram } from '../series/native-histograms.ts';
import type { Point } from './point.ts';

/** The width of the bucket around 0 if the sender does not give it, as in the stock Collector. */
const DEFAULT_ZERO_THRESHOLD = 1e-128;

const POINT = fieldTags('ExponentialHistogramDataPoint');
const BUCKETS = fieldTags('Buckets');

/** The buckets of an `ExponentialHistogramDataPoint`. */
export function readNativeHistogram(point: Point): NativeHistogram {
  const reader = point.reader(point.start, point.end);
  let scale = 0;
  let zeroCount = 0;
  let zeroThreshold = 0;
  let positive: Buckets = new Map();
  let negative = positive;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === POINT.scale) scale = zigzag(reader.varint());
    else if (tag === POINT.zero_count) zeroCount = Number(reader.fixed64());
    else if (tag === POINT.positive) positive = readBuckets(reader.message());
    else if (tag === POINT.negative) negative = readBuckets(reader.message());
    else if (tag === POINT.zero_threshold) zeroThreshold = reader.double();
    else reader.skip(tag);
  }
  return { scale, zeroCount, zeroThreshold: zeroThreshold || DEFAULT_ZERO_THRESHOLD, positive, negative };
}

/** OTLP's first bucket begins at base^offset; the bucket that Prometheus numbers i ends at base^i. */
function readBuckets(reader: WireReader): Buckets {
  const counts: number[] = [];
  let offset = 0;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === BUCKETS.offset) offset = zigzag(reader.varint());
    else if (tag === packed(BUCKETS.bucket_counts)) readPacked(reader.message(), counts);
    else if (tag === BUCKETS.bucket_counts && counts.length < MAX_SENT_BUCKETS) counts.push(reader.varint());
    else reader.skip(tag);
  }
  const buckets = new Map<number, number>();
  for (const [i, count] of counts.entries()) buckets.set(offset + i + 1, count);
  return buckets;
}

function readPacked(values: WireReader, counts: number[]): void {
  while (!values.done && counts.length < MAX_SENT_BUCKETS) counts.push(values.varint());
}

function zigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

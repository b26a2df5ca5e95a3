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
  const positive: SentBuckets = { offset: 0, counts: [] };
  const negative: SentBuckets = { offset: 0, counts: [] };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === POINT.scale) scale = zigzag(reader.varint());
    else if (tag === POINT.zero_count) zeroCount = Number(reader.fixed64());
    else if (tag === POINT.positive) readBuckets(reader.message(), positive);
    else if (tag === POINT.negative) readBuckets(reader.message(), negative);
    else if (tag === POINT.zero_threshold) zeroThreshold = reader.double();
    else reader.skip(tag);
  }
  return {
    scale,
    zeroCount,
    zeroThreshold: zeroThreshold || DEFAULT_ZERO_THRESHOLD,
    positive: numbered(positive),
    negative: numbered(negative),
  };
}

interface SentBuckets {
  offset: number;
  readonly counts: number[];
}

/** Several messages of one field are one. */
function readBuckets(reader: WireReader, into: SentBuckets): void {
  const { counts } = into;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === BUCKETS.offset) into.offset = zigzag(reader.varint());
    else if (tag === packed(BUCKETS.bucket_counts)) readPacked(reader.message(), counts);
    else if (tag === BUCKETS.bucket_counts && counts.length < MAX_SENT_BUCKETS) counts.push(reader.varint());
    else reader.skip(tag);
  }
}

/** OTLP's first bucket begins at base^offset; the bucket that Prometheus numbers i ends at base^i. */
function numbered({ offset, counts }: SentBuckets): Buckets {
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

import { viewOf } from '../../../engine/columns/hash-bytes.ts';
import { fieldTags, packed } from '../../../engine/otlp/schema.ts';
import type { WireReader } from '../../../engine/otlp/wire-reader.ts';
import type { MetricFields } from './metric-fields.ts';
import type { SeriesPoint } from './series.ts';

const NUMBER = fieldTags('NumberDataPoint');
const HISTOGRAM = fieldTags('HistogramDataPoint');
const COUNTS = packed(HISTOGRAM.bucket_counts);
const BOUNDS = packed(HISTOGRAM.explicit_bounds);
const NO_RECORDED_VALUE = 1;
const TWO_32 = 4_294_967_296;
/** Histograms with more buckets have no exemplars. */
const MAX_BUCKETS = 1024;

/** The fields of one data point in a request. One object reads all points, so reading creates hardly any objects. */
export class PointFields implements SeriesPoint {
  request: DataView = new DataView(new ArrayBuffer(0));
  timeNs = 0;
  isDelta = false;
  bounds = new Float64Array(0);
  counts = new Float64Array(0);
  /** The place of the attributes, with their tags. */
  attributesStart = 0;
  attributesEnd = 0;
  /** False if it has no value, or cannot be compared with spans. */
  isReadable = true;
  hasExemplars = false;
  #bytes: Uint8Array | undefined;
  #attributesTag = 0;
  #exemplarsTag = 0;
  #flagsTag = 0;
  #boundCount = 0;
  #countCount = 0;
  readonly #bounds = new Float64Array(MAX_BUCKETS);
  readonly #counts = new Float64Array(MAX_BUCKETS);

  /** Prepares for the points of one metric. */
  open({ measure, isDelta }: MetricFields): void {
    const fields = measure.isCounter ? NUMBER : HISTOGRAM;
    this.isDelta = isDelta;
    this.#attributesTag = fields.attributes;
    this.#exemplarsTag = fields.exemplars;
    this.#flagsTag = fields.flags;
  }

  /** Reads the point from the reader's position to `end`. */
  read(reader: WireReader, end: number): void {
    this.#clear(reader.buffer);
    const isCounter = this.#attributesTag === NUMBER.attributes;
    while (reader.position < end) {
      const start = reader.position;
      const tag = reader.tag();
      if (tag === this.#attributesTag) this.#attribute(reader, start);
      else if (tag === NUMBER.time_unix_nano) this.timeNs = fixed64(reader);
      else if (tag === this.#exemplarsTag) {
        this.hasExemplars = true;
        reader.skip(tag);
      } else if (tag === this.#flagsTag) {
        if ((reader.varint() & NO_RECORDED_VALUE) === NO_RECORDED_VALUE) this.isReadable = false;
      } else if (isCounter) this.#value(tag, reader);
      else this.#buckets(tag, reader);
    }
    this.#close(isCounter);
  }

  #attribute(reader: WireReader, start: number): void {
    const length = reader.varint();
    reader.position += length;
    if (this.attributesEnd === 0) this.attributesStart = start;
    // Encoders write attributes next to each other.
    else if (this.attributesEnd !== start) this.isReadable = false;
    this.attributesEnd = reader.position;
  }

  #value(tag: number, reader: WireReader): void {
    if (tag === NUMBER.as_double) this.#counts[this.#countCount++] = reader.double();
    else if (tag === NUMBER.as_int) this.#counts[this.#countCount++] = fixed64(reader);
    else reader.skip(tag);
  }

  #buckets(tag: number, reader: WireReader): void {
    if (tag === COUNTS) {
      const end = this.#packedEnd(reader, this.#countCount);
      for (let at = reader.position; at < end; at += 8) {
        const high = this.request.getUint32(at + 4, true);
        this.#counts[this.#countCount++] = high * TWO_32 + this.request.getUint32(at, true);
      }
      reader.position = end;
    } else if (tag === BOUNDS) {
      const end = this.#packedEnd(reader, this.#boundCount);
      for (let at = reader.position; at < end; at += 8) {
        this.#bounds[this.#boundCount++] = this.request.getFloat64(at, true);
      }
      reader.position = end;
    } else {
      // Values that are not packed are allowed; no encoder writes them.
      if (tag === HISTOGRAM.bucket_counts || tag === HISTOGRAM.explicit_bounds) this.isReadable = false;
      reader.skip(tag);
    }
  }

  /** The end of a packed field. Skips it if there are too many values. */
  #packedEnd(reader: WireReader, known: number): number {
    const length = reader.varint();
    const end = reader.position + length;
    if (known + length / 8 <= MAX_BUCKETS) return end;
    this.isReadable = false;
    reader.position = end;
    return end;
  }

  #close(isCounter: boolean): void {
    if (this.#countCount !== (isCounter ? 1 : this.#boundCount + 1) || this.timeNs === 0) this.isReadable = false;
    if (this.counts.length !== this.#countCount) this.counts = this.#counts.subarray(0, this.#countCount);
    if (this.bounds.length !== this.#boundCount) this.bounds = this.#bounds.subarray(0, this.#boundCount);
  }

  #clear(bytes: Uint8Array): void {
    if (bytes !== this.#bytes) this.request = viewOf(bytes);
    this.#bytes = bytes;
    this.timeNs = 0;
    this.attributesStart = 0;
    this.attributesEnd = 0;
    this.isReadable = true;
    this.hasExemplars = false;
    this.#boundCount = 0;
    this.#countCount = 0;
  }
}

/** Rounded to a double. Negative integers do not occur in counters. */
function fixed64(reader: WireReader): number {
  const low = reader.fixed32();
  return reader.fixed32() * TWO_32 + low;
}

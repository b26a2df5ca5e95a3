import { fieldTags, packed } from '../../../../engine/otlp/schema.ts';
import { WireReader, WireType } from '../../../../engine/otlp/wire-reader.ts';
import { grow } from '../../../../engine/columns/grow.ts';
import { viewOf } from '../../../../engine/columns/hash-bytes.ts';

const { bytes, fixed64, varint } = WireType;
const TWO_32 = 4_294_967_296;

const NUMBER = fieldTags('NumberDataPoint');
const HISTOGRAM = fieldTags('HistogramDataPoint');
const EXPONENTIAL = fieldTags('ExponentialHistogramDataPoint');
const SUMMARY = fieldTags('SummaryDataPoint');

/** The same in points of every type. */
const { start_time_unix_nano: START_TAG, time_unix_nano: TIME_TAG } = NUMBER;
const { as_double: DOUBLE_TAG, as_int: INTEGER_TAG } = NUMBER;
/** The same in histograms and summaries. */
const { count: COUNT_TAG, sum: SUM_TAG } = HISTOGRAM;
const { bucket_counts: BUCKET_COUNT_TAG, explicit_bounds: BOUND_TAG } = HISTOGRAM;
const [BUCKET_COUNTS_TAG, BOUNDS_TAG] = [packed(BUCKET_COUNT_TAG), packed(BOUND_TAG)];
const { quantile_values: QUANTILE_VALUE_TAG } = SUMMARY;
const { quantile: QUANTILE_TAG, value: VALUE_TAG } = fieldTags('ValueAtQuantile');

/** How points of one type differ from the others. */
export interface PointLayout {
  readonly attributesTag: number;
  readonly flagsTag: number;
  /** 0 if the type has no exemplars. */
  readonly exemplarsTag: number;
  readonly content: 'number' | 'buckets' | 'quantiles' | 'none';
}

function layoutOf(
  content: PointLayout['content'],
  tags: { readonly attributes: number; readonly flags: number; readonly exemplars?: number },
): PointLayout {
  return { content, attributesTag: tags.attributes, flagsTag: tags.flags, exemplarsTag: tags.exemplars ?? 0 };
}

export const numberPoint = layoutOf('number', NUMBER);
export const histogramPoint = layoutOf('buckets', HISTOGRAM);
export const exponentialPoint = layoutOf('none', EXPONENTIAL);
export const summaryPoint = layoutOf('quantiles', SUMMARY);

const NO_CELLS = new Float64Array(0);
const FIRST_CELLS = 64;

/**
 * The current data point of one request. Each request has one `Point`, which reads one data point after the other, so
 * reading creates no objects. Requests that run at the same time do not share it. It trusts the framing of the bytes.
 * Times are nanoseconds since 1970 in two halves, 0 for unknown.
 */
export class Point {
  /** The bytes that contain the attributes, from `keyStart` to `keyEnd`. */
  view: DataView;
  startHigh = 0;
  startLow = 0;
  timeHigh = 0;
  timeLow = 0;
  value = 0;
  hasValue = false;
  noRecordedValue = false;
  /** Used by histograms and summaries. */
  count = 0;
  sum = 0;
  hasSum = false;
  /** Bounds and their counts, or quantiles and their values. */
  bounds = NO_CELLS;
  counts = NO_CELLS;
  keyStart = 0;
  keyEnd = 0;
  /** The position of the message in the request. */
  start = 0;
  end = 0;
  /** The positions of the exemplars: start, end, start, end, … */
  readonly exemplars: number[] = [];
  readonly #bytes: Uint8Array;
  readonly #chunk: DataView;
  #at = 0;
  #boundCells = NO_CELLS;
  #countCells = NO_CELLS;
  /** The arrays that `bounds` and `counts` are parts of. */
  readonly #columns = { boundsIn: this.bounds, countsIn: this.counts };
  #boundCount = 0;
  #countCount = 0;
  #scattered: Uint8Array[] = [];

  constructor(request: Uint8Array) {
    this.#bytes = request;
    this.#chunk = viewOf(request);
    this.view = this.#chunk;
  }

  /** A reader of a part of the request. */
  reader(start: number, end: number): WireReader {
    return new WireReader(this.#bytes, start, end);
  }

  /** Reads the data point at [start, end). */
  read(start: number, end: number, kind: PointLayout): void {
    this.#clear();
    const { attributesTag } = kind;
    this.start = start;
    this.end = end;
    this.#at = start;
    while (this.#at < end) {
      const field = this.#at;
      const tag = this.#varint();
      if (tag === attributesTag) {
        const length = this.#varint();
        this.#at += length;
        this.#addAttribute(field);
      } else if (tag === TIME_TAG) {
        this.timeLow = this.#chunk.getUint32(this.#at, true);
        this.timeHigh = this.#chunk.getUint32(this.#at + 4, true);
        this.#at += 8;
      } else if (tag === START_TAG) {
        this.startLow = this.#chunk.getUint32(this.#at, true);
        this.startHigh = this.#chunk.getUint32(this.#at + 4, true);
        this.#at += 8;
      } else this.#content(tag, kind);
    }
    if (this.#scattered.length > 0) this.#joinAttributes();
    if (kind.content !== 'number') this.#closeColumns();
  }

  #content(tag: number, kind: PointLayout): void {
    if (tag === kind.flagsTag) this.noRecordedValue = (this.#varint() & 1) === 1;
    else if (tag === kind.exemplarsTag) {
      const length = this.#varint();
      this.exemplars.push(this.#at, this.#at + length);
      this.#at += length;
    } else if (kind.content === 'number') this.#number(tag);
    else this.#distribution(tag, kind);
  }

  #number(tag: number): void {
    if (tag === DOUBLE_TAG) this.value = this.#double();
    else if (tag === INTEGER_TAG) this.value = this.#signed64();
    else return this.#skip(tag);
    this.hasValue = true;
  }

  #distribution(tag: number, { content }: PointLayout): void {
    if (tag === COUNT_TAG) {
      this.count = this.#unsigned64();
      this.hasValue = true;
    } else if (tag === SUM_TAG) {
      this.sum = this.#double();
      this.hasSum = true;
    } else if (content === 'buckets') this.#buckets(tag);
    else if (content === 'quantiles' && tag === QUANTILE_VALUE_TAG) this.#quantile();
    else this.#skip(tag);
  }

  /** Writers pack the values; the format also allows one field for each value. */
  #buckets(tag: number): void {
    if (tag === BUCKET_COUNTS_TAG) this.#readCounts(this.#varint());
    else if (tag === BOUNDS_TAG) this.#readBounds(this.#varint());
    else if (tag === BUCKET_COUNT_TAG) this.#readCounts(8);
    else if (tag === BOUND_TAG) this.#readBounds(8);
    else this.#skip(tag);
  }

  #readCounts(length: number): void {
    const chunk = this.#chunk;
    const end = this.#at + length;
    this.#countCells = withRoom(this.#countCells, this.#countCount + length / 8);
    for (let at = this.#at; at < end; at += 8) {
      const high = chunk.getUint32(at + 4, true);
      this.#countCells[this.#countCount++] = high * TWO_32 + chunk.getUint32(at, true);
    }
    this.#at = end;
  }

  #readBounds(length: number): void {
    const chunk = this.#chunk;
    const end = this.#at + length;
    this.#boundCells = withRoom(this.#boundCells, this.#boundCount + length / 8);
    for (let at = this.#at; at < end; at += 8) this.#boundCells[this.#boundCount++] = chunk.getFloat64(at, true);
    this.#at = end;
  }

  #quantile(): void {
    const length = this.#varint();
    let quantile = 0;
    let value = 0;
    for (const end = this.#at + length; this.#at < end;) {
      const tag = this.#varint();
      if (tag === QUANTILE_TAG) quantile = this.#double();
      else if (tag === VALUE_TAG) value = this.#double();
      else this.#skip(tag);
    }
    this.#boundCells = withRoom(this.#boundCells, this.#boundCount + 1);
    this.#countCells = withRoom(this.#countCells, this.#countCount + 1);
    this.#boundCells[this.#boundCount++] = quantile;
    this.#countCells[this.#countCount++] = value;
  }

  #closeColumns(): void {
    const { boundsIn, countsIn } = this.#columns;
    if (boundsIn !== this.#boundCells || this.bounds.length !== this.#boundCount) {
      this.bounds = this.#boundCells.subarray(0, this.#boundCount);
    }
    if (countsIn !== this.#countCells || this.counts.length !== this.#countCount) {
      this.counts = this.#countCells.subarray(0, this.#countCount);
    }
    this.#columns.boundsIn = this.#boundCells;
    this.#columns.countsIn = this.#countCells;
  }

  #clear(): void {
    this.startHigh = 0;
    this.startLow = 0;
    this.timeHigh = 0;
    this.timeLow = 0;
    this.value = 0;
    this.hasValue = false;
    this.noRecordedValue = false;
    this.count = 0;
    this.sum = 0;
    this.hasSum = false;
    this.keyStart = 0;
    this.keyEnd = 0;
    this.#boundCount = 0;
    this.#countCount = 0;
    if (this.exemplars.length > 0) this.exemplars.length = 0;
    this.view = this.#chunk;
  }

  /** Writers put attributes next to each other. If one does not, the pieces are joined. */
  #addAttribute(start: number): void {
    if (this.keyEnd === 0) this.keyStart = start;
    else if (this.keyEnd !== start) {
      this.#scattered.push(this.#bytes.subarray(this.keyStart, this.keyEnd));
      this.keyStart = start;
    }
    this.keyEnd = this.#at;
  }

  #joinAttributes(): void {
    const joined = Buffer.concat([...this.#scattered, this.#bytes.subarray(this.keyStart, this.keyEnd)]);
    this.#scattered = [];
    this.keyStart = 0;
    this.keyEnd = joined.length;
    this.view = viewOf(joined);
  }

  #skip(tag: number): void {
    const wireType = tag & 7;
    if (wireType === varint) this.#varint();
    else if (wireType === fixed64) this.#at += 8;
    else if (wireType === bytes) {
      const length = this.#varint();
      this.#at += length;
    } else this.#at += 4;
  }

  #varint(): number {
    const first = this.#bytes[this.#at++] as number;
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let scale = 128; ; scale *= 128) {
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (!(byte >= 0x80)) return value;
    }
  }

  #double(): number {
    this.#at += 8;
    return this.#chunk.getFloat64(this.#at - 8, true);
  }

  #unsigned64(): number {
    this.#at += 8;
    return this.#chunk.getUint32(this.#at - 4, true) * TWO_32 + this.#chunk.getUint32(this.#at - 8, true);
  }

  /** Rounded once, to the nearest double, as a conversion of the integer is. */
  #signed64(): number {
    this.#at += 8;
    return this.#chunk.getInt32(this.#at - 4, true) * TWO_32 + this.#chunk.getUint32(this.#at - 8, true);
  }
}

function withRoom(cells: Float64Array<ArrayBuffer>, count: number): Float64Array<ArrayBuffer> {
  let larger = cells;
  if (count > 0 && larger.length === 0) larger = new Float64Array(FIRST_CELLS);
  while (larger.length < count) larger = grow(larger);
  return larger;
}

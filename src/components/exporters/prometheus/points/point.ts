import { WireReader, WireType } from '../../../../engine/otlp/wire-reader.ts';
import { grow } from '../series/grow.ts';
import { viewOf } from '../series/hash-bytes.ts';

const { bytes, fixed64, varint } = WireType;
const TWO_32 = 4_294_967_296;

/** What the kinds of data points call what all have. Start and time are 2 and 3 everywhere. */
export interface PointLayout {
  readonly attributesTag: number;
  readonly flagsTag: number;
  readonly exemplarsTag: number;
  /** Buckets are read from fields 6 and 7, quantiles from 6. */
  readonly content: 'number' | 'buckets' | 'quantiles' | 'none';
}

const layout = (content: PointLayout['content'], fields: readonly [number, number, number]): PointLayout => ({
  content,
  attributesTag: (fields[0] << 3) | bytes,
  flagsTag: (fields[1] << 3) | varint,
  exemplarsTag: (fields[2] << 3) | bytes,
});

export const numberPoint = layout('number', [7, 8, 5]);
export const histogramPoint = layout('buckets', [9, 10, 8]);
export const exponentialPoint = layout('none', [1, 10, 11]);
/** Summaries have no exemplars: 31 is no field. */
export const summaryPoint = layout('quantiles', [7, 8, 31]);

const START_TAG = (2 << 3) | fixed64;
const TIME_TAG = (3 << 3) | fixed64;

/**
 * One data point, reused for all, so that reading creates no object. It trusts the framing of the bytes.
 * Times are nanoseconds since 1970 in two halves, 0 for unknown.
 */
export class Point {
  /** Of the attributes' bytes. */
  view: DataView = new DataView(new ArrayBuffer(0));
  startHigh = 0;
  startLow = 0;
  timeHigh = 0;
  timeLow = 0;
  value = 0;
  hasValue = false;
  noRecordedValue = false;
  /** Of distributions. */
  count = 0;
  sum = 0;
  hasSum = false;
  /** Bounds and their counts, or quantiles and their values. */
  bounds = new Float64Array(0);
  counts = new Float64Array(0);
  keyStart = 0;
  keyEnd = 0;
  /** Where the message itself is. */
  start = 0;
  end = 0;
  /** Where exemplars begin and end, pairwise. */
  readonly exemplars: number[] = [];
  #bytes: Uint8Array = new Uint8Array(0);
  #chunk = this.view;
  #at = 0;
  #boundCells = new Float64Array(64);
  #countCells = new Float64Array(64);
  /** What `bounds` and `counts` are parts of. */
  readonly #columns = { boundsIn: this.bounds, countsIn: this.counts };
  #boundCount = 0;
  #countCount = 0;
  #scattered: Uint8Array[] = [];

  /** Points are read from this request from now on. */
  open(chunk: Uint8Array): void {
    this.#bytes = chunk;
    this.#chunk = viewOf(chunk);
    this.view = this.#chunk;
  }

  /** Over a part of the request. */
  reader(start: number, end: number): WireReader {
    return new WireReader(this.#bytes, start, end);
  }

  /** Fills itself from the message at [start, end). */
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
    if (tag === ((4 << 3) | fixed64)) this.value = this.#double();
    else if (tag === ((6 << 3) | fixed64)) this.value = this.#signed64();
    else return this.#skip(tag);
    this.hasValue = true;
  }

  #distribution(tag: number, { content }: PointLayout): void {
    if (tag === ((4 << 3) | fixed64)) {
      this.count = this.#unsigned64();
      this.hasValue = true;
    } else if (tag === ((5 << 3) | fixed64)) {
      this.sum = this.#double();
      this.hasSum = true;
    } else if (content === 'buckets') this.#buckets(tag);
    else if (content === 'quantiles' && tag === ((6 << 3) | bytes)) this.#quantile();
    else this.#skip(tag);
  }

  /** Packed, as every writer does, or not, as the format allows. */
  #buckets(tag: number): void {
    const field = tag >>> 3;
    if (field !== 6 && field !== 7) return this.#skip(tag);
    const length = (tag & 7) === bytes ? this.#varint() : 8;
    if (field === 6) this.#readCounts(this.#at + length);
    else this.#readBounds(this.#at + length);
  }

  #readCounts(end: number): void {
    const chunk = this.#chunk;
    const count = this.#countCount + (end - this.#at) / 8;
    while (count > this.#countCells.length) this.#countCells = grow(this.#countCells);
    for (let at = this.#at; at < end; at += 8) {
      const high = chunk.getUint32(at + 4, true);
      this.#countCells[this.#countCount++] = high * TWO_32 + chunk.getUint32(at, true);
    }
    this.#at = end;
  }

  #readBounds(end: number): void {
    const chunk = this.#chunk;
    const count = this.#boundCount + (end - this.#at) / 8;
    while (count > this.#boundCells.length) this.#boundCells = grow(this.#boundCells);
    for (let at = this.#at; at < end; at += 8) this.#boundCells[this.#boundCount++] = chunk.getFloat64(at, true);
    this.#at = end;
  }

  #quantile(): void {
    const length = this.#varint();
    let quantile = 0;
    let value = 0;
    for (const end = this.#at + length; this.#at < end;) {
      const tag = this.#varint();
      if (tag === ((1 << 3) | fixed64)) quantile = this.#double();
      else if (tag === ((2 << 3) | fixed64)) value = this.#double();
      else this.#skip(tag);
    }
    if (this.#boundCount === this.#boundCells.length) this.#boundCells = grow(this.#boundCells);
    if (this.#countCount === this.#countCells.length) this.#countCells = grow(this.#countCells);
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

  /** Writers put attributes next to each other; if one does not, the pieces are joined. */
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

import type { WireReader } from '../../collector/otlp/wire-reader.ts';
import { WireType } from '../../collector/otlp/wire-reader.ts';

/** One data point, reused for all: the hot path creates no object. Times are nanoseconds since 1970, 0 for unknown. */
export class Point {
  timeNs = 0;
  value = 0;
  hasValue = false;
  noRecordedValue = false;
  count = 0;
  sum = 0;
  bounds: number[] = [];
  counts: number[] = [];
  /** Where the attributes' bytes are. */
  key: Uint8Array = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;
  #scattered: Uint8Array[] = [];

  /** Fills itself from the message at the reader's place, which ends at `end`. `attributesField` is what tells the kinds of points apart. */
  read(reader: WireReader, end: number, layout: PointLayout): void {
    this.#clear(reader);
    while (reader.position < end) {
      const start = reader.position;
      const tag = reader.tag();
      if (tag === layout.attributesTag) {
        reader.skip(tag);
        this.#addAttribute(start, reader.position);
      } else if (tag === TIME_TAG) {
        this.timeNs = readUnsigned64(reader);
      } else if (tag === layout.flagsTag) {
        this.noRecordedValue = (reader.varint() & 1) === 1;
      } else {
        layout.read(this, reader, tag);
      }
    }
    if (this.#scattered.length > 0) this.#joinAttributes();
  }

  #clear(reader: WireReader): void {
    this.timeNs = 0;
    this.value = 0;
    this.hasValue = false;
    this.noRecordedValue = false;
    this.key = reader.buffer;
    this.keyStart = 0;
    this.keyEnd = 0;
  }

  /** Writers put attributes next to each other; if one does not, the pieces are joined. */
  #addAttribute(start: number, end: number): void {
    if (this.keyEnd === 0) this.keyStart = start;
    else if (this.keyEnd !== start) {
      this.#scattered.push(this.key.subarray(this.keyStart, this.keyEnd));
      this.keyStart = start;
    }
    this.keyEnd = end;
  }

  #joinAttributes(): void {
    this.key = Buffer.concat([...this.#scattered, this.key.subarray(this.keyStart, this.keyEnd)]);
    this.keyStart = 0;
    this.keyEnd = this.key.length;
    this.#scattered = [];
  }
}

/** What one kind of data point has of its own. */
export interface PointLayout {
  readonly attributesTag: number;
  readonly flagsTag: number;
  readonly read: (point: Point, reader: WireReader, tag: number) => void;
}

const { bytes, fixed64, varint } = WireType;
const TIME_TAG = (3 << 3) | fixed64;

export const numberPoint: PointLayout = {
  attributesTag: (7 << 3) | bytes,
  flagsTag: (8 << 3) | varint,
  read(point, reader, tag) {
    if (tag === ((4 << 3) | fixed64)) point.value = reader.double();
    else if (tag === ((6 << 3) | fixed64)) point.value = readSigned64(reader);
    else return reader.skip(tag);
    point.hasValue = true;
  },
};

export const histogramPoint: PointLayout = {
  attributesTag: (9 << 3) | bytes,
  flagsTag: (10 << 3) | varint,
  read(point, reader, tag) {
    if (tag === ((6 << 3) | bytes)) readPacked(reader, point.counts, readUnsigned64);
    else if (tag === ((7 << 3) | bytes)) readPacked(reader, point.bounds, readDouble);
    else if (tag === ((6 << 3) | fixed64)) point.counts.push(readUnsigned64(reader));
    else if (tag === ((7 << 3) | fixed64)) point.bounds.push(reader.double());
    else readCountAndSum(point, reader, tag);
  },
};

export const summaryPoint: PointLayout = {
  attributesTag: (7 << 3) | bytes,
  flagsTag: (8 << 3) | varint,
  read(point, reader, tag) {
    if (tag === ((6 << 3) | bytes)) readQuantile(point, reader);
    else readCountAndSum(point, reader, tag);
  },
};

function readCountAndSum(point: Point, reader: WireReader, tag: number): void {
  if (tag === ((4 << 3) | fixed64)) {
    point.count = readUnsigned64(reader);
    point.hasValue = true;
  } else if (tag === ((5 << 3) | fixed64)) {
    point.sum = reader.double();
    point.hasValue = true;
  } else reader.skip(tag);
}

function readQuantile(point: Point, reader: WireReader): void {
  const end = reader.varint() + reader.position;
  let quantile = 0;
  let value = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | fixed64)) quantile = reader.double();
    else if (tag === ((2 << 3) | fixed64)) value = reader.double();
    else reader.skip(tag);
  }
  point.bounds.push(quantile);
  point.counts.push(value);
}

function readPacked(reader: WireReader, target: number[], read: (reader: WireReader) => number): void {
  const end = reader.varint() + reader.position;
  while (reader.position < end) target.push(read(reader));
}

function readDouble(reader: WireReader): number {
  return reader.double();
}

function readUnsigned64(reader: WireReader): number {
  const low = reader.fixed32();
  return reader.fixed32() * 4_294_967_296 + low;
}

/** Rounded once, to the nearest double, as a conversion of the integer is. */
function readSigned64(reader: WireReader): number {
  const low = reader.fixed32();
  return (reader.fixed32() | 0) * 4_294_967_296 + low;
}

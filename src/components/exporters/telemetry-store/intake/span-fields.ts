import { fieldTags } from '../../../../engine/otlp/schema.ts';
import type { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { Ranges } from './ranges.ts';

const SPAN = fieldTags('Span');
const STATUS = fieldTags('Status');

/** The limits of OpenTelemetry's SDKs. */
const MAX_ATTRIBUTES = 128;
const MAX_EVENTS = 128;
const MAX_LINKS = 128;

/**
 * Where the fields of one span are in its request. Reused, so that a span makes no objects. A place is -1 if the field is
 * absent.
 */
export class SpanFields {
  readonly attributes = new Ranges(MAX_ATTRIBUTES);
  readonly events = new Ranges(MAX_EVENTS);
  readonly links = new Ranges(MAX_LINKS);
  /** Places of ids of the right length. */
  traceId = -1;
  spanId = -1;
  parentId = -1;
  start = -1;
  end = -1;
  nameStart = 0;
  nameEnd = 0;
  kind = 0;
  status = 0;
  messageStart = 0;
  messageEnd = 0;
  flags = 0;

  /** Reads the `Span` from the position of the reader to `end`. */
  read(reader: WireReader, end: number): void {
    this.#clear();
    while (reader.position < end) this.#field(reader, reader.tag());
  }

  /** Attributes, events and links beyond the limits. */
  get beyond(): number {
    return this.attributes.beyond + this.events.beyond + this.links.beyond;
  }

  #field(reader: WireReader, tag: number): void {
    switch (tag) {
      case SPAN.attributes:
        addTo(this.attributes, reader);
        break;
      case SPAN.trace_id:
        this.traceId = placeOf(reader, 16);
        break;
      case SPAN.span_id:
        this.spanId = placeOf(reader, 8);
        break;
      case SPAN.parent_span_id:
        this.parentId = placeOf(reader, 8);
        break;
      case SPAN.start_time_unix_nano:
        this.start = skipFixed64(reader);
        break;
      case SPAN.end_time_unix_nano:
        this.end = skipFixed64(reader);
        break;
      case SPAN.kind:
        this.kind = reader.varint();
        break;
      default:
        this.#rarerField(reader, tag);
    }
  }

  #rarerField(reader: WireReader, tag: number): void {
    switch (tag) {
      case SPAN.name: {
        const length = reader.varint();
        this.nameStart = reader.position;
        this.nameEnd = reader.position += length;
        break;
      }
      case SPAN.status:
        this.#readStatus(reader);
        break;
      case SPAN.flags:
        this.flags = reader.fixed32();
        break;
      case SPAN.events:
        addTo(this.events, reader);
        break;
      case SPAN.links:
        addTo(this.links, reader);
        break;
      default:
        reader.skip(tag);
    }
  }

  #readStatus(reader: WireReader): void {
    const length = reader.varint();
    const end = reader.position + length;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === STATUS.code) this.status = reader.varint();
      else if (tag === STATUS.message) {
        const size = reader.varint();
        this.messageStart = reader.position;
        this.messageEnd = reader.position += size;
      } else reader.skip(tag);
    }
  }

  #clear(): void {
    this.attributes.clear();
    this.events.clear();
    this.links.clear();
    this.traceId = this.spanId = this.parentId = this.start = this.end = -1;
    this.nameStart = this.nameEnd = this.messageStart = this.messageEnd = 0;
    this.kind = this.status = this.flags = 0;
  }
}

/** Adds a message, and skips it. */
export function addTo(ranges: Ranges, reader: WireReader): void {
  const length = reader.varint();
  const start = reader.position;
  reader.position += length;
  ranges.add(start, reader.position);
}

/** Where an id is, or -1 if it has another length. */
export function placeOf(reader: WireReader, length: number): number {
  const actual = reader.varint();
  const place = reader.position;
  reader.position += actual;
  return actual === length ? place : -1;
}

export function skipFixed64(reader: WireReader): number {
  const place = reader.position;
  reader.position += 8;
  return place;
}

/** True for an id that is absent or consists of zeros. */
export function isEmptyId(view: DataView, place: number, bytes: 8 | 16): boolean {
  if (place < 0) return true;
  for (let at = place; at < place + bytes; at += 4) if (view.getUint32(at, true) !== 0) return false;
  return true;
}

/** Copies the 8 bytes at a place to a row of a column of 64-bit numbers. */
export function copyLong(view: DataView, place: number, column: Uint16Array | Uint32Array, row: number): void {
  if (place < 0) return;
  column[2 * row] = view.getUint32(place, true);
  column[2 * row + 1] = view.getUint32(place + 4, true);
}

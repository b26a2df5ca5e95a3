import { viewOf } from '../columns/hash-bytes.ts';
import { fieldTags } from './schema.ts';
import { WireType, type WireReader } from './wire-reader.ts';

const SPAN = fieldTags('Span');
const STATUS = fieldTags('Status');
const TWO_32 = 4_294_967_296;
const MAX_ATTRIBUTES = 256;
const ALL_KINDS = -1;
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/**
 * The fields of one span in a request, as places in its bytes. One object reads all spans, so reading creates none. For
 * components that look at every span and decode few of them; others use `readSpans`.
 */
export class SpanFields {
  bytes: Uint8Array = new Uint8Array(0);
  /** The same bytes. */
  request = viewOf(this.bytes);
  /** The number of the `SpanKind` and of the status code. */
  kind = 0;
  statusCode = 0;
  flags = 0;
  nameStart = 0;
  nameEnd = 0;
  traceStateStart = 0;
  traceStateEnd = 0;
  /** -1 if the id is empty. */
  traceIdAt = -1;
  spanIdAt = -1;
  startHigh = 0;
  startLow = 0;
  endHigh = 0;
  endLow = 0;
  attributeCount = 0;
  /** True if it has more attributes than `attributeCount`. */
  hasMoreAttributes = false;
  /** The places of the messages `KeyValue`. */
  readonly attributeStarts = new Int32Array(MAX_ATTRIBUTES);
  readonly attributeEnds = new Int32Array(MAX_ATTRIBUTES);
  /** The places of the events: start, end, start, end, … */
  readonly events: number[] = [];

  /**
   * Reads the span from the reader's position to `end`.
   *
   * @param kinds one bit for each kind that is wanted.
   * @returns false, without reading the rest, if it has another kind. Encoders write the kind before the attributes.
   */
  read(reader: WireReader, end: number, kinds = ALL_KINDS): boolean {
    this.#clear(reader.buffer);
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === SPAN.attributes) this.#attribute(reader);
      else if (tag === SPAN.kind) {
        this.kind = reader.varint() & 7;
        if (((kinds >> this.kind) & 1) === 0) return false;
      } else if (tag === SPAN.start_time_unix_nano) {
        this.startLow = reader.fixed32();
        this.startHigh = reader.fixed32();
      } else if (tag === SPAN.end_time_unix_nano) {
        this.endLow = reader.fixed32();
        this.endHigh = reader.fixed32();
      } else this.#other(tag, reader);
    }
    return ((kinds >> this.kind) & 1) === 1;
  }

  /** Exact up to 104 days. */
  get durationNs(): number {
    return (this.endHigh - this.startHigh) * TWO_32 + (this.endLow - this.startLow);
  }

  /** Nanoseconds since 1970, rounded to a double. */
  get endNs(): number {
    return this.endHigh * TWO_32 + this.endLow;
  }

  /** True if it has both ids. Ids of zeros do not count. */
  get hasIds(): boolean {
    return isNonZero(this.bytes, this.traceIdAt, TRACE_ID_BYTES) && isNonZero(this.bytes, this.spanIdAt, SPAN_ID_BYTES);
  }

  #attribute(reader: WireReader): void {
    const end = reader.varint() + reader.position;
    this.hasMoreAttributes = this.attributeCount === MAX_ATTRIBUTES;
    if (!this.hasMoreAttributes) {
      this.attributeStarts[this.attributeCount] = reader.position;
      this.attributeEnds[this.attributeCount++] = end;
    }
    reader.position = end;
  }

  #other(tag: number, reader: WireReader): void {
    if (tag === SPAN.status) this.#status(reader);
    else if (tag === SPAN.flags) this.flags = reader.fixed32();
    else if ((tag & 7) !== WireType.bytes) reader.skip(tag);
    else {
      const length = reader.varint();
      this.#bytes(tag, reader.position, reader.position + length);
      reader.position += length;
    }
  }

  #bytes(tag: number, start: number, end: number): void {
    if (tag === SPAN.trace_id) this.traceIdAt = end > start ? start : -1;
    else if (tag === SPAN.span_id) this.spanIdAt = end > start ? start : -1;
    else if (tag === SPAN.name) {
      this.nameStart = start;
      this.nameEnd = end;
    } else if (tag === SPAN.trace_state) {
      this.traceStateStart = start;
      this.traceStateEnd = end;
    } else if (tag === SPAN.events) this.events.push(start, end);
  }

  #status(reader: WireReader): void {
    const end = reader.varint() + reader.position;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === STATUS.code) this.statusCode = reader.varint();
      else reader.skip(tag);
    }
  }

  #clear(bytes: Uint8Array): void {
    if (bytes !== this.bytes) this.request = viewOf(bytes);
    this.bytes = bytes;
    this.kind = 0;
    this.statusCode = 0;
    this.flags = 0;
    this.nameStart = 0;
    this.nameEnd = 0;
    this.traceStateStart = 0;
    this.traceStateEnd = 0;
    this.traceIdAt = -1;
    this.spanIdAt = -1;
    this.startHigh = 0;
    this.startLow = 0;
    this.endHigh = 0;
    this.endLow = 0;
    this.attributeCount = 0;
    this.hasMoreAttributes = false;
    if (this.events.length > 0) this.events.length = 0;
  }
}

function isNonZero(bytes: Uint8Array, start: number, length: number): boolean {
  if (start < 0) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== 0) return true;
  return false;
}

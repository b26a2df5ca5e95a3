import { viewOf } from '../../../engine/columns/hash-bytes.ts';
import { fieldTags } from '../../../engine/otlp/schema.ts';
import type { WireReader } from '../../../engine/otlp/wire-reader.ts';
import type { PickedAttributes } from './picked-attributes.ts';
import { SPAN_ID_BYTES, TRACE_ID_BYTES, type SpanBytes } from './waiting-spans.ts';
import type { WantedKeys } from './wanted-keys.ts';

const SPAN = fieldTags('Span');
const UNSPECIFIED = 1;
const TWO_32 = 4_294_967_296;
const MAX_ATTRIBUTES = 256;

/** The fields of one span in a request. One object reads all spans, so reading creates none. */
export class SpanFields implements SpanBytes {
  bytes: Uint8Array = new Uint8Array(0);
  /** 1 << kind. */
  kindBit = UNSPECIFIED;
  /** The place of the name's length, -1 without a name. */
  nameAt = -1;
  traceIdAt = -1;
  spanIdAt = -1;
  endHigh = 0;
  endLow = 0;
  /** True if it has more attributes than are compared. */
  hasTooManyAttributes = false;
  #request = viewOf(this.bytes);
  #startHigh = 0;
  #startLow = 0;
  #attributes = 0;
  readonly #attributeStarts = new Int32Array(MAX_ATTRIBUTES);
  readonly #attributeEnds = new Int32Array(MAX_ATTRIBUTES);

  /**
   * Reads the span from the reader's position to `end`.
   *
   * @param kinds one bit for each kind that is wanted.
   * @returns false, without reading the rest, if it has another kind. Encoders write the kind before the attributes.
   */
  read(reader: WireReader, end: number, kinds: number): boolean {
    this.#clear(reader.buffer);
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === SPAN.attributes) this.#attribute(reader);
      else if (tag === SPAN.kind) {
        this.kindBit = 1 << reader.varint();
        if ((kinds & this.kindBit) === 0) return false;
      } else if (tag === SPAN.start_time_unix_nano) {
        this.#startLow = reader.fixed32();
        this.#startHigh = reader.fixed32();
      } else if (tag === SPAN.end_time_unix_nano) {
        this.endLow = reader.fixed32();
        this.endHigh = reader.fixed32();
      } else this.#other(tag, reader);
    }
    return (kinds & this.kindBit) !== 0;
  }

  get durationNs(): number {
    return (this.endHigh - this.#startHigh) * TWO_32 + (this.endLow - this.#startLow);
  }

  get endNs(): number {
    return this.endHigh * TWO_32 + this.endLow;
  }

  /** True if it has a start and ended after it. */
  get hasTimes(): boolean {
    return (this.#startHigh > 0 || this.#startLow > 0) && this.durationNs >= 0;
  }

  /** True if it has both ids. Ids of zeros do not count. */
  get hasIds(): boolean {
    return (
      hasNonZero(this.bytes, this.traceIdAt, TRACE_ID_BYTES) && hasNonZero(this.bytes, this.spanIdAt, SPAN_ID_BYTES)
    );
  }

  /** Adds the wanted attributes. @returns true if one of them is required. */
  pick(wanted: WantedKeys, picked: PickedAttributes): boolean {
    let hasRequired = false;
    picked.clear(this.#request);
    for (let i = 0; i < this.#attributes; i++) {
      const start = this.#attributeStarts[i] as number;
      const key = wanted.find(this.#request, start);
      if (key === undefined) continue;
      if (key.isRequired) hasRequired = true;
      picked.add(start, this.#attributeEnds[i] as number);
    }
    return hasRequired;
  }

  #attribute(reader: WireReader): void {
    const end = reader.varint() + reader.position;
    this.hasTooManyAttributes = this.#attributes === MAX_ATTRIBUTES;
    if (!this.hasTooManyAttributes) {
      this.#attributeStarts[this.#attributes] = reader.position;
      this.#attributeEnds[this.#attributes++] = end;
    }
    reader.position = end;
  }

  #other(tag: number, reader: WireReader): void {
    const { position } = reader;
    reader.skip(tag);
    // The framing check accepts ids of their length, and empty ones. The length takes a byte.
    const isEmpty = reader.position === position + 1;
    if (tag === SPAN.trace_id) this.traceIdAt = isEmpty ? -1 : position + 1;
    else if (tag === SPAN.span_id) this.spanIdAt = isEmpty ? -1 : position + 1;
    else if (tag === SPAN.name) this.nameAt = position;
  }

  #clear(bytes: Uint8Array): void {
    if (bytes !== this.bytes) this.#request = viewOf(bytes);
    this.bytes = bytes;
    this.kindBit = UNSPECIFIED;
    this.nameAt = -1;
    this.traceIdAt = -1;
    this.spanIdAt = -1;
    this.endHigh = 0;
    this.endLow = 0;
    this.hasTooManyAttributes = false;
    this.#startHigh = 0;
    this.#startLow = 0;
    this.#attributes = 0;
  }
}

function hasNonZero(bytes: Uint8Array, start: number, length: number): boolean {
  if (start < 0) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== 0) return true;
  return false;
}

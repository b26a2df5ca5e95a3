export const TRACE_ID_BYTES = 16;
export const SPAN_ID_BYTES = 8;
const ID_BYTES = TRACE_ID_BYTES + SPAN_ID_BYTES;
const TWO_32 = 2 ** 32;

/** Spans that wait for the points of their measurements, as a linked list. */
export interface SpanList {
  /** -1 for none. */
  first: number;
}

/** A span in the bytes of a request. */
export interface SpanBytes {
  readonly bytes: Uint8Array;
  readonly traceIdAt: number;
  readonly spanIdAt: number;
  readonly endHigh: number;
  readonly endLow: number;
  readonly durationNs: number;
}

/** The ended spans of all lists, in columns; a span is a number and not an object. */
export class WaitingSpans {
  readonly #ids: Uint8Array;
  readonly #endHigh: Uint32Array;
  readonly #endLow: Uint32Array;
  readonly #durationsNs: Float64Array;
  readonly #next: Int32Array;
  #firstFree = 0;
  #free: number;

  constructor(maxSpans: number) {
    this.#ids = new Uint8Array(maxSpans * ID_BYTES);
    this.#endHigh = new Uint32Array(maxSpans);
    this.#endLow = new Uint32Array(maxSpans);
    this.#durationsNs = new Float64Array(maxSpans);
    this.#next = new Int32Array(maxSpans);
    for (let span = 0; span < maxSpans; span++) this.#next[span] = span + 1;
    this.#free = maxSpans;
  }

  /** How many more spans there is room for. */
  get free(): number {
    return this.#free;
  }

  /** There must be room. */
  add(list: SpanList, { bytes, traceIdAt, spanIdAt, endHigh, endLow, durationNs }: SpanBytes): void {
    const span = this.#firstFree;
    this.#firstFree = this.#next[span] as number;
    this.#free--;
    const at = span * ID_BYTES;
    for (let i = 0; i < TRACE_ID_BYTES; i++) this.#ids[at + i] = bytes[traceIdAt + i] as number;
    for (let i = 0; i < SPAN_ID_BYTES; i++) this.#ids[at + TRACE_ID_BYTES + i] = bytes[spanIdAt + i] as number;
    this.#endHigh[span] = endHigh;
    this.#endLow[span] = endLow;
    this.#durationsNs[span] = durationNs;
    this.#next[span] = list.first;
    list.first = span;
  }

  /** The span after this one in its list, or -1. */
  next(span: number): number {
    return this.#next[span] as number;
  }

  /** Nanoseconds since 1970, rounded to a double. */
  endNs(span: number): number {
    return (this.#endHigh[span] as number) * TWO_32 + (this.#endLow[span] as number);
  }

  durationNs(span: number): number {
    return this.#durationsNs[span] as number;
  }

  traceId(span: number): Uint8Array {
    return this.#ids.subarray(span * ID_BYTES, span * ID_BYTES + TRACE_ID_BYTES);
  }

  spanId(span: number): Uint8Array {
    return this.#ids.subarray(span * ID_BYTES + TRACE_ID_BYTES, (span + 1) * ID_BYTES);
  }

  exactEndNs(span: number): bigint {
    return (BigInt(this.#endHigh[span] as number) << 32n) | BigInt(this.#endLow[span] as number);
  }

  /** True if both are the same span, which arrived twice. */
  areEqual(span: number, other: number): boolean {
    return Buffer.compare(this.#idsOf(span), this.#idsOf(other)) === 0;
  }

  /** Removes the spans that ended until then. Returns their number. */
  release(list: SpanList, untilNs: number): number {
    let [kept, released] = [-1, 0];
    for (let span = list.first; span >= 0;) {
      const following = this.#next[span] as number;
      if (this.endNs(span) <= untilNs) {
        this.#next[span] = this.#firstFree;
        this.#firstFree = span;
        released++;
      } else {
        this.#next[span] = kept;
        kept = span;
      }
      span = following;
    }
    list.first = kept;
    this.#free += released;
    return released;
  }

  #idsOf(span: number): Uint8Array {
    return this.#ids.subarray(span * ID_BYTES, (span + 1) * ID_BYTES);
  }
}

import { grow } from '../../../engine/columns/grow.ts';

/** A request that spans refer to. Its bytes are not copied. */
export interface HeldRequest {
  readonly bytes: Uint8Array;
  /** How many of its spans are held. */
  spans: number;
}

/** Fields of a message in a request, as places: start, end, start, end, … */
export type Places = readonly number[];

/** A `ResourceSpans` without its spans. */
export interface HeldResource {
  readonly request: HeldRequest;
  readonly fields: Places;
}

/** A `ScopeSpans` without its spans. */
export interface HeldScope {
  readonly resource: HeldResource;
  readonly fields: Places;
}

/** The spans of one trace, in the order of their arrival. */
export interface SpanList {
  first: number;
  last: number;
}

const NONE = -1;
const FIRST_ROWS = 1024;
/** The columns, and the reference to the scope. */
const ROW_BYTES = 20;

/**
 * The spans of all undecided traces, in columns; a span is a number and not an object. A request stays in memory until the
 * last of its spans is released: traces wait equally long, so that is hardly longer than a copy would stay.
 */
export class HeldSpans {
  #starts = new Int32Array(FIRST_ROWS);
  #ends = new Int32Array(FIRST_ROWS);
  /** The next span of the trace, or the next free row. */
  #next = new Int32Array(FIRST_ROWS);
  readonly #scopes: (HeldScope | undefined)[] = [];
  #firstFree = NONE;
  /** Rows from here on were never used. */
  #used = 0;
  #count = 0;
  #requestBytes = 0;

  get count(): number {
    return this.#count;
  }

  /** The memory of requests and columns. */
  get sizeBytes(): number {
    return this.#requestBytes + this.#count * ROW_BYTES;
  }

  static emptyList(): SpanList {
    return { first: NONE, last: NONE };
  }

  /** Adds the encoded span in [start, end) of the scope's request. */
  add(list: SpanList, scope: HeldScope, start: number, end: number): void {
    const row = this.#freeRow();
    this.#starts[row] = start;
    this.#ends[row] = end;
    this.#next[row] = NONE;
    this.#scopes[row] = scope;
    if (list.first === NONE) list.first = row;
    else this.#next[list.last] = row;
    list.last = row;
    this.#count++;
    const { request } = scope.resource;
    if (request.spans++ === 0) this.#requestBytes += request.bytes.length;
  }

  /** The span after this one, or -1. */
  next(span: number): number {
    return this.#next[span] as number;
  }

  scopeOf(span: number): HeldScope {
    return this.#scopes[span] as HeldScope;
  }

  startOf(span: number): number {
    return this.#starts[span] as number;
  }

  endOf(span: number): number {
    return this.#ends[span] as number;
  }

  /** Forgets the spans of the list. */
  release(list: SpanList): void {
    for (let span = list.first; span !== NONE;) {
      const following = this.next(span);
      const { request } = this.scopeOf(span).resource;
      if (--request.spans === 0) this.#requestBytes -= request.bytes.length;
      this.#scopes[span] = undefined;
      this.#next[span] = this.#firstFree;
      this.#firstFree = span;
      this.#count--;
      span = following;
    }
    list.first = NONE;
    list.last = NONE;
  }

  #freeRow(): number {
    const row = this.#firstFree;
    if (row !== NONE) {
      this.#firstFree = this.next(row);
      return row;
    }
    if (this.#used === this.#starts.length) {
      this.#starts = grow(this.#starts);
      this.#ends = grow(this.#ends);
      this.#next = grow(this.#next);
    }
    return this.#used++;
  }
}

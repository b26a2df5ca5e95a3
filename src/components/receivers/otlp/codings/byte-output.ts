const FIRST_BYTES = 16 * 1024;
/** Up to here a loop is faster than a call that copies. */
const LOOP_BYTES = 32;

/**
 * What a decoder writes: it grows with what is really there, never with what a header claims, and never beyond its limit.
 * Copies read it back, as formats of the LZ77 family do.
 */
export class ByteOutput {
  readonly #maxBytes: number;
  #bytes: Uint8Array;
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#bytes = new Uint8Array(Math.min(FIRST_BYTES, maxBytes));
  }

  get length(): number {
    return this.#length;
  }

  /** What was written from `start` on. Valid until the next write. */
  from(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#length);
  }

  /** All that was written; nothing may be written after it. Whoever keeps it keeps little that is not used. */
  finish(): Uint8Array {
    const isTight = this.#length > this.#bytes.length * 0.75;
    return isTight ? this.from(0) : this.#bytes.slice(0, this.#length);
  }

  /**
   * Appends `input[start, start + count)`.
   *
   * @throws Error if the input ends before; TooLargeError if there is no room.
   */
  append(input: Uint8Array, start: number, count: number): void {
    if (start + count > input.length) throw new Error('unexpected end');
    this.#reserve(count);
    const bytes = this.#bytes;
    if (count > LOOP_BYTES) bytes.set(input.subarray(start, start + count), this.#length);
    else for (let i = 0; i < count; i++) bytes[this.#length + i] = input[start + i] as number;
    this.#length += count;
  }

  /**
   * Appends `count` bytes that begin `offset` bytes before the end, which may be those that it appends.
   *
   * @throws Error if that is before `floor`; TooLargeError if there is no room.
   */
  repeat(offset: number, count: number, floor: number): void {
    if (offset === 0 || offset > this.#length - floor) throw new Error(`a copy from ${offset} bytes before`);
    this.#reserve(count);
    const bytes = this.#bytes;
    const end = this.#length + count;
    if (count > LOOP_BYTES) this.#repeatInRuns(offset, end);
    else for (let i = this.#length; i < end; i++) bytes[i] = bytes[i - offset] as number;
    this.#length = end;
  }

  /** What copies itself doubles with each run. */
  #repeatInRuns(offset: number, end: number): void {
    const start = this.#length - offset;
    for (let at = this.#length; at < end;) {
      const run = Math.min(at - start, end - at);
      this.#bytes.copyWithin(at, start, start + run);
      at += run;
    }
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    if (needed > this.#maxBytes) throw new TooLargeError();
    const grown = new Uint8Array(Math.min(Math.max(needed, this.#bytes.length * 2), this.#maxBytes));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Like that of `node:zlib`, there is more than `maxOutputLength` allows. */
export class TooLargeError extends RangeError {
  readonly code = 'ERR_BUFFER_TOO_LARGE';
}

/** How much a decoder writes before it lets others have their turn, or more often. */
export const STEP_BYTES = 128 * 1024;

/** Writes to the output, and yields where others may have their turn. @throws Error that says what is wrong with the input. */
export type Decode = (input: Uint8Array, output: ByteOutput) => Generator<undefined>;

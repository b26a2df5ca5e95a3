const FIRST_BYTES = 16 * 1024;
/** Up to this length a loop is faster than a copying call. */
const LOOP_BYTES = 32;

/**
 * The output of a decoder. It grows with the decoded data, not with the length that a header claims, and never beyond its
 * limit. Copies read from the output itself, as in all formats of the LZ77 family.
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

  /** The output from `start` on. Valid until the next write. */
  from(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#length);
  }

  /** The whole output, with little unused memory. Nothing may be written afterwards. */
  finish(): Uint8Array {
    const isTight = this.#length > this.#bytes.length * 0.75;
    return isTight ? this.from(0) : this.#bytes.slice(0, this.#length);
  }

  /**
   * Appends `input[start, start + count)`.
   *
   * @throws Error if the input ends before; TooLargeError if it exceeds the limit.
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
   * Appends a copy of `count` bytes, from `offset` bytes before the end. The copy may overlap itself.
   *
   * @throws Error if it begins before `floor`; TooLargeError if it exceeds the limit.
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

  /** Doubles the copied bytes with each run. */
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

/** The output exceeds `maxOutputLength`; the same code as in `node:zlib`. */
export class TooLargeError extends RangeError {
  readonly code = 'ERR_BUFFER_TOO_LARGE';
}

/** A decoder yields at least once for this many bytes of output. */
export const STEP_BYTES = 128 * 1024;

/** Writes to the output, and yields where other work may run. @throws Error that describes the defect of the input. */
export type Decode = (input: Uint8Array, output: ByteOutput) => Generator<undefined>;

import { numberText, openMetricsNumber } from '../names/number-text.ts';
import { writeExponential, writeInteger } from './write-integer.ts';

/** Upper limit for the length of a number with its line end. */
const MAX_NUMBER_BYTES = 64;

const LENGTH_BYTES = 5;

/** A page grows by chunks, so that growing copies nothing and each chunk is a short write to a socket. */
const CHUNK_BYTES = 256 * 1024;

/** The bytes of a response, in the order in which they are sent. */
export interface Page {
  readonly chunks: readonly Buffer[];
  readonly length: number;
}

/** The output of page writers. Bytes are copied to it, and numbers are formatted in place. */
export class PageBuffer {
  /** The full buffers, the current one, then the ones to be reused. */
  readonly #buffers: Buffer[] = [Buffer.allocUnsafeSlow(CHUNK_BYTES)];
  readonly #full: Buffer[] = [];
  #fullBytes = 0;
  #buffer = this.#buffers[0] as Buffer;
  #length = 0;
  #kept: Uint8Array = this.#buffer;
  #hole = { buffer: this.#buffer, at: 0, written: 0 };

  /** The written bytes, which still belong to this buffer. */
  get page(): Page {
    const chunks = [...this.#full, this.#buffer.subarray(0, this.#length)];
    return { chunks, length: this.length };
  }

  /** How many bytes are written. */
  get length(): number {
    return this.#fullBytes + this.#length;
  }

  /** Keeps the memory that the last page used, and releases more. */
  clear(): void {
    this.#buffers.length = Math.min(this.#buffers.length, this.#full.length + 1);
    this.#full.length = 0;
    this.#fullBytes = 0;
    this.#length = 0;
    this.#buffer = this.#buffers[0] as Buffer;
  }

  /** Leaves room for the length of everything that is written until `fillLength`: a varint of always five bytes. */
  leaveLength(): void {
    const at = this.reserve(LENGTH_BYTES);
    this.#length += LENGTH_BYTES;
    this.#hole = { buffer: this.#buffer, at, written: this.#fullBytes + this.#length };
  }

  fillLength(): void {
    const { buffer, at, written } = this.#hole;
    let rest = this.#fullBytes + this.#length - written;
    for (let i = 0; i < LENGTH_BYTES; i++, rest = Math.floor(rest / 128)) {
      buffer[at + i] = (rest % 128) | (i < LENGTH_BYTES - 1 ? 0x80 : 0);
    }
  }

  /** Makes sure that the next `bytes` are contiguous. Returns their position, for `keepFrom`. */
  reserve(bytes: number): number {
    if (this.#length + bytes > this.#buffer.length) this.#nextChunk(bytes);
    return this.#length;
  }

  /** Keeps the bytes since `start`, which must be contiguous, for `repeat`. */
  keepFrom(start: number): void {
    this.#kept = new Uint8Array(this.#buffer.buffer, start, this.#length - start);
  }

  /** Writes the kept bytes again. */
  repeat(): void {
    this.bytes(this.#kept);
  }

  text(text: string): void {
    this.reserve(text.length * 3);
    this.#length += this.#buffer.write(text, this.#length);
  }

  /** Writes text of ASCII characters only. */
  ascii(text: string): void {
    this.reserve(text.length);
    this.#ascii(text);
  }

  bytes(source: Uint8Array): void {
    this.reserve(source.length);
    this.#buffer.set(source, this.#length);
    this.#length += source.length;
  }

  /** Writes a part of `source`. */
  copy(source: Uint8Array, start: number, length: number): void {
    this.bytes(new Uint8Array(source.buffer, source.byteOffset + start, length));
  }

  number(value: number): void {
    this.reserve(MAX_NUMBER_BYTES);
    if (!isCount(value)) this.#ascii(numberText(value));
    else if (value < FIRST_EXPONENTIAL) this.#length = writeInteger(this.#buffer, this.#length, value);
    else this.#length = writeExponential(this.#buffer, this.#length, value);
  }

  openMetricsNumber(value: number): void {
    if (!isCount(value)) return this.ascii(openMetricsNumber(value));
    this.number(value);
    if (value < FIRST_EXPONENTIAL) this.#ascii('.0');
  }

  /** Writes a whole number, never with an exponent. */
  integer(value: number): void {
    this.reserve(MAX_NUMBER_BYTES);
    if (isCount(value)) this.#length = writeInteger(this.#buffer, this.#length, value);
    else this.#ascii(BigInt(value).toString());
  }

  endLine(): void {
    this.reserve(1);
    this.#buffer[this.#length++] = 0x0a;
  }

  #ascii(text: string): void {
    const buffer = this.#buffer;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  #nextChunk(bytes: number): void {
    this.#full.push(this.#buffer.subarray(0, this.#length));
    this.#fullBytes += this.#length;
    const at = this.#full.length;
    if ((this.#buffers[at]?.length ?? 0) < bytes) {
      this.#buffers.splice(at, 0, Buffer.allocUnsafeSlow(Math.max(bytes, CHUNK_BYTES)));
    }
    this.#buffer = this.#buffers[at] as Buffer;
    this.#length = 0;
  }
}

/** From this number on, the text format uses exponents. */
const FIRST_EXPONENTIAL = 1e6;

/** True for most numbers on a page. */
function isCount(value: number): boolean {
  return value >= 0 && Number.isSafeInteger(value);
}

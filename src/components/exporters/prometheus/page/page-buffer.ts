import { numberText, openMetricsNumber } from '../names/number-text.ts';
import { writeExponential, writeInteger } from './write-integer.ts';

/** The most bytes that a number, and what ends its line, take. */
const MAX_NUMBER_BYTES = 64;

const LENGTH_BYTES = 5;

/** A page grows by chunks: no growth copies what is there, and no chunk is long to write to a socket. */
const CHUNK_BYTES = 256 * 1024;

/** Bytes of an answer, in the order in which they are sent. */
export interface Page {
  readonly chunks: readonly Buffer[];
  readonly length: number;
}

/** Where a page is written: bytes, copied from where they lie, and numbers, printed in place. */
export class PageBuffer {
  /** Those that are full, as far as they are written, then the current one, then those that wait to be used again. */
  readonly #buffers: Buffer[] = [Buffer.allocUnsafeSlow(CHUNK_BYTES)];
  readonly #full: Buffer[] = [];
  #fullBytes = 0;
  #buffer = this.#buffers[0] as Buffer;
  #length = 0;
  #kept: Uint8Array = this.#buffer;
  #hole = { buffer: this.#buffer, at: 0, written: 0 };

  /** What was written. It belongs to this buffer. */
  get page(): Page {
    const chunks = [...this.#full, this.#buffer.subarray(0, this.#length)];
    return { chunks, length: this.#fullBytes + this.#length };
  }

  clear(): void {
    this.#full.length = 0;
    this.#fullBytes = 0;
    this.#length = 0;
    this.#buffer = this.#buffers[0] as Buffer;
  }

  /** Leaves room for the length of what is written until `fillLength`: a varint of five bytes, whatever it says. */
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

  /** Up to so many bytes, which are written next, will lie in one piece. Returns where, for `keepFrom`. */
  reserve(bytes: number): number {
    if (this.#length + bytes > this.#buffer.length) this.#nextChunk(bytes);
    return this.#length;
  }

  /** Keeps what was written since, in one piece, for `repeat`. */
  keepFrom(start: number): void {
    this.#kept = new Uint8Array(this.#buffer.buffer, start, this.#length - start);
  }

  /** Writes again what was kept. */
  repeat(): void {
    this.bytes(this.#kept);
  }

  text(text: string): void {
    this.reserve(text.length * 3);
    this.#length += this.#buffer.write(text, this.#length);
  }

  /** Text of ASCII characters. */
  ascii(text: string): void {
    this.reserve(text.length);
    this.#ascii(text);
  }

  bytes(source: Uint8Array): void {
    this.reserve(source.length);
    this.#buffer.set(source, this.#length);
    this.#length += source.length;
  }

  /** So many bytes of `source`. */
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

  /** A whole number, without exponent however large. */
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

/** From a million on the text format writes exponents. */
const FIRST_EXPONENTIAL = 1e6;

/** What most numbers of a page are. */
function isCount(value: number): boolean {
  return value >= 0 && Number.isSafeInteger(value);
}

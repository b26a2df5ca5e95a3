import { numberText, openMetricsNumber } from './number-text.ts';

/** The most bytes that a number, and what ends its line, take. */
const MAX_NUMBER_BYTES = 64;

/** Where a page is written: bytes, copied from where they lie, and numbers, printed in place. */
export class PageBuffer {
  #buffer: Buffer;
  #length = 0;

  constructor(sizeBytes: number) {
    this.#buffer = Buffer.allocUnsafe(Math.max(sizeBytes, 4096));
  }

  get length(): number {
    return this.#length;
  }

  /** What was written. It belongs to this buffer. */
  get written(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  text(text: string): void {
    this.#reserve(text.length * 3);
    this.#length += this.#buffer.write(text, this.#length);
  }

  /** Text of ASCII characters. */
  ascii(text: string): void {
    this.#reserve(text.length);
    this.#ascii(text);
  }

  bytes(source: Buffer, start: number, length: number): void {
    this.#reserve(length);
    source.copy(this.#buffer, this.#length, start, start + length);
    this.#length += length;
  }

  /** Again what was written at [start, end). */
  repeat(start: number, end: number): void {
    this.#reserve(end - start);
    this.#buffer.copyWithin(this.#length, start, end);
    this.#length += end - start;
  }

  number(value: number): void {
    this.#reserve(MAX_NUMBER_BYTES);
    if (isSmallInteger(value)) this.#smallInteger(value);
    else this.#ascii(numberText(value));
  }

  openMetricsNumber(value: number): void {
    this.#reserve(MAX_NUMBER_BYTES);
    if (!isSmallInteger(value)) return this.#ascii(openMetricsNumber(value));
    this.#smallInteger(value);
    this.#ascii('.0');
  }

  /** A whole number, without exponent however large. */
  integer(value: number): void {
    this.#reserve(MAX_NUMBER_BYTES);
    if (isSmallInteger(value)) this.#smallInteger(value);
    else this.#ascii(BigInt(value).toString());
  }

  endLine(): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = 0x0a;
  }

  #ascii(text: string): void {
    const buffer = this.#buffer;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  #smallInteger(value: number): void {
    const buffer = this.#buffer;
    const end = this.#length + digits(value);
    let rest = value;
    for (let at = end - 1; at >= this.#length; at--) {
      const quotient = (rest / 10) | 0;
      buffer[at] = 48 + rest - quotient * 10;
      rest = quotient;
    }
    this.#length = end;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, Math.ceil(this.#buffer.length * 1.5)));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** From a million on the text format writes exponents. */
function isSmallInteger(value: number): boolean {
  return value >= 0 && value < 1e6 && value === (value | 0);
}

function digits(value: number): number {
  if (value < 1000) return value < 10 ? 1 : value < 100 ? 2 : 3;
  return value < 10_000 ? 4 : value < 100_000 ? 5 : 6;
}

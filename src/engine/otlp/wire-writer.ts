import { isUtf8 } from 'node:buffer';
import { WireType } from './wire-reader.ts';

const textEncoder = new TextEncoder();
/** A byte order mark inside a message is text. */
const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Up to this size, a loop copies faster than `set` does. */
const SHORT_BYTES = 32;

/** A loop writes a text of this length faster than an encoder does, and its length takes one byte. */
const SHORT_TEXT = 100;

/** Copying more stops other work for too long. */
const MUCH_BYTES = 2 * 1024 * 1024;

/**
 * Writes protobuf messages into a buffer that grows. Fields with proto3 default values are written too:
 * the caller decides whether to omit them, because a `oneof` distinguishes absent from default.
 */
export class WireWriter {
  #buffer: Uint8Array;
  #view: DataView;
  #length = 0;

  readonly #usualMaxBytes: number;

  /**
   * @param usualMaxBytes what the buffer grows to at first, and beyond it only if it must: memory that is not written costs
   * nothing, and copying to fresh memory costs 2 ms a mebibyte. Without it, the buffer doubles.
   */
  constructor(initialBytes = 1024, usualMaxBytes = Infinity) {
    this.#usualMaxBytes = usualMaxBytes;
    this.#buffer = new Uint8Array(initialBytes);
    this.#view = new DataView(this.#buffer.buffer);
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#length;
  }

  /** A copy of the written bytes. The writer can be used further. */
  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  /** The written bytes, without a copy if they are many or most of the buffer. The writer must not be used further. */
  detach(): Uint8Array {
    return this.#length > MUCH_BYTES || this.#length > this.#buffer.length / 2 ? this.written : this.finish();
  }

  /** The written bytes. Valid until the next write. */
  get written(): Uint8Array {
    return new Uint8Array(this.#buffer.buffer, 0, this.#length);
  }

  /** Clears the writer and keeps its buffer. */
  reset(): void {
    this.#length = 0;
  }

  varintField(field: number, value: number): void {
    this.#tag(field, WireType.varint);
    this.#varint(value);
  }

  /** Negative numbers take ten bytes, as protobuf's int64 does. */
  int64Field(field: number, value: bigint): void {
    this.#tag(field, WireType.varint);
    this.#bigVarint(value);
  }

  /** Zigzag, as in protobuf's sint32. */
  sint32Field(field: number, value: number): void {
    this.varintField(field, ((value << 1) ^ (value >> 31)) >>> 0);
  }

  boolField(field: number, value: boolean): void {
    this.varintField(field, value ? 1 : 0);
  }

  fixed64Field(field: number, value: bigint): void {
    this.#tag(field, WireType.fixed64);
    this.fixed64(value);
  }

  doubleField(field: number, value: number): void {
    this.#tag(field, WireType.fixed64);
    this.double(value);
  }

  fixed32Field(field: number, value: number): void {
    this.#tag(field, WireType.fixed32);
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  bytesField(field: number, value: Uint8Array): void {
    this.#tag(field, WireType.bytes);
    this.#varint(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** Fields that were written elsewhere. */
  append(fields: Uint8Array): void {
    this.#reserve(fields.length);
    this.#buffer.set(fields, this.#length);
    this.#length += fields.length;
  }

  stringField(field: number, value: string): void {
    this.#tag(field, WireType.bytes);
    this.#reserve(value.length * 3 + 5);
    if (value.length <= SHORT_TEXT && this.#shortAscii(value)) return;
    const start = this.#length + varintSize(value.length);
    const { written } = textEncoder.encodeInto(value, this.#buffer.subarray(start));
    const shift = varintSize(written) - varintSize(value.length);
    if (shift > 0) this.#buffer.copyWithin(start + shift, start, start + written);
    this.#varint(written);
    this.#length += written;
  }

  /** Bytes that are given as hexadecimal digits. */
  hexField(field: number, digits: string): void {
    this.#tag(field, WireType.bytes);
    const bytes = digits.length >> 1;
    this.#varint(bytes);
    this.#reserve(bytes);
    for (let i = 0; i < bytes; i++) {
      this.#buffer[this.#length++] = (nibble(digits.charCodeAt(2 * i)) << 4) | nibble(digits.charCodeAt(2 * i + 1));
    }
  }

  /** Seconds and nanoseconds as nanoseconds, without a `bigint`. */
  timeField(field: number, seconds: number, nanoseconds: number): void {
    this.#tag(field, WireType.fixed64);
    this.#reserve(8);
    // A second is 5^9 * 2^9 nanoseconds. The product with 5^9 is exact until the year 2115.
    const parts = seconds * 1_953_125;
    const low = (parts % 0x80_0000) * 512 + nanoseconds;
    const carry = low >= 0x1_0000_0000 ? 1 : 0;
    this.#view.setUint32(this.#length, low, true);
    this.#view.setUint32(this.#length + 4, Math.floor(parts / 0x80_0000) + carry, true);
    this.#length += 8;
  }

  packedDoubleField(field: number, values: readonly number[]): void {
    this.messageField(field, () => {
      for (const value of values) this.double(value);
    });
  }

  packedFixed64Field(field: number, values: readonly bigint[]): void {
    this.messageField(field, () => {
      for (const value of values) this.fixed64(value);
    });
  }

  packedVarintField(field: number, values: readonly bigint[]): void {
    this.messageField(field, () => {
      for (const value of values) this.varint64(value);
    });
  }

  /** Writes an embedded message; `body` writes its fields with this same writer. */
  messageField(field: number, body: (writer: this) => void): void {
    const start = this.openField(field);
    body(this);
    this.closeField(start);
  }

  /** Begins a field whose length is not known. Everything until `closeField` belongs to it. @returns where its content starts. */
  openField(field: number): number {
    this.#tag(field, WireType.bytes);
    this.#reserve(1);
    return ++this.#length;
  }

  /** Ends the field whose content starts here. */
  closeField(start: number): void {
    const bodyLength = this.#length - start;
    const extra = varintSize(bodyLength) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#buffer.copyWithin(start + extra, start, this.#length);
    }
    this.#length = start - 1;
    this.#varint(bodyLength);
    this.#length += bodyLength;
  }

  /** Removes what was written after the first `length` bytes. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** A field with the bytes of `source` in [start, end). */
  sliceField(field: number, source: Uint8Array, start: number, end: number): void {
    this.#tag(field, WireType.bytes);
    this.#varint(end - start);
    this.appendSlice(source, start, end);
  }

  /** Content of an open field: the bytes of `source` in [start, end). */
  appendSlice(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    if (end - start > SHORT_BYTES) this.#buffer.set(source.subarray(start, end), this.#length);
    else for (let i = start, to = this.#length; i < end; i++) this.#buffer[to++] = source[i] as number;
    this.#length += end - start;
  }

  /** Content of an open field: the text in [start, end). Bytes that are not UTF-8 become U+FFFD. */
  appendText(source: Uint8Array, start: number, end: number): void {
    const bytes = source.subarray(start, end);
    if (isUtf8(bytes)) this.append(bytes);
    else this.append(textEncoder.encode(textDecoder.decode(bytes)));
  }

  /** Content of an open field. */
  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** A packed number in an open field. */
  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** A packed number in an open field. */
  fixed64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value), true);
    this.#length += 8;
  }

  /** A packed number in an open field. */
  varint64(value: bigint): void {
    this.#bigVarint(value);
  }

  /** Writes the length and the text, or returns false if the text has other characters. */
  #shortAscii(value: string): boolean {
    const start = this.#length + 1;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      this.#buffer[start + i] = code;
    }
    this.#buffer[this.#length] = value.length;
    this.#length = start + value.length;
    return true;
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #bigVarint(value: bigint): void {
    this.#reserve(10);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#length++] = Number(rest);
  }

  #varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.#length++] = rest;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const isUsual = needed <= this.#usualMaxBytes && Number.isFinite(this.#usualMaxBytes);
    const grown = new Uint8Array(isUsual ? this.#usualMaxBytes : Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer);
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** The value of a hexadecimal digit. */
function nibble(code: number): number {
  return (code & 0xf) + (code >> 6) * 9;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
  return size;
}

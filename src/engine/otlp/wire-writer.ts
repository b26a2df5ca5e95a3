import { WireType } from './wire-reader.ts';

const textEncoder = new TextEncoder();

/**
 * Writes protobuf messages into a buffer that grows. Fields with proto3 default values are written too:
 * the caller decides whether to omit them, because a `oneof` distinguishes absent from default.
 */
export class WireWriter {
  #buffer: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(initialBytes = 1024) {
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
    this.#reserve(8);
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value), true);
    this.#length += 8;
  }

  doubleField(field: number, value: number): void {
    this.#tag(field, WireType.fixed64);
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
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
    const start = this.#length + varintSize(value.length);
    const { written } = textEncoder.encodeInto(value, this.#buffer.subarray(start));
    const shift = varintSize(written) - varintSize(value.length);
    if (shift > 0) this.#buffer.copyWithin(start + shift, start, start + written);
    this.#varint(written);
    this.#length += written;
  }

  packedDoubleField(field: number, values: readonly number[]): void {
    this.#packedFixed64(field, values.length, (at, i) => this.#view.setFloat64(at, values[i] as number, true));
  }

  packedFixed64Field(field: number, values: readonly bigint[]): void {
    this.#packedFixed64(field, values.length, (at, i) =>
      this.#view.setBigUint64(at, BigInt.asUintN(64, values[i] as bigint), true),
    );
  }

  packedVarintField(field: number, values: readonly bigint[]): void {
    this.messageField(field, () => {
      for (const value of values) this.#bigVarint(value);
    });
  }

  /** Writes an embedded message; `body` writes its fields with this same writer. */
  messageField(field: number, body: (writer: this) => void): void {
    this.#tag(field, WireType.bytes);
    this.#reserve(1);
    const start = ++this.#length;
    body(this);
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

  #packedFixed64(field: number, count: number, set: (at: number, index: number) => void): void {
    this.#tag(field, WireType.bytes);
    this.#varint(count * 8);
    this.#reserve(count * 8);
    for (let i = 0; i < count; i++, this.#length += 8) set(this.#length, i);
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
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer);
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
  return size;
}

import { viewOf } from '../columns/hash-bytes.ts';
import { decodeText } from './decode-text.ts';

/** Protobuf wire types, https://protobuf.dev/programming-guides/encoding/#structure */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * Reads one protobuf message inside a larger buffer. It copies nothing but strings; slices that it returns
 * belong to the buffer. Meant for bytes whose framing has been checked: on others it throws `RangeError`
 * or returns nonsense, but never reads outside the buffer and never loops.
 */
export class WireReader {
  readonly buffer: Uint8Array;
  position: number;
  readonly end: number;
  readonly #view: DataView;

  /** @param view of the whole buffer, if there is one already. */
  constructor(buffer: Uint8Array, start = 0, end = buffer.length, view = viewOf(buffer)) {
    this.buffer = buffer;
    this.position = start;
    this.end = end;
    this.#view = view;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  /** `field number << 3 | wire type`. */
  tag(): number {
    return this.varint();
  }

  /** An unsigned varint. Exact up to 2^53; use `int64` where larger ones matter. */
  varint(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 128;
    for (let i = 1; i < 10; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new RangeError('varint is longer than 10 bytes');
  }

  /** A varint read as a signed 64-bit integer. */
  int64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new RangeError('varint is longer than 10 bytes');
  }

  fixed64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  sfixed64(): bigint {
    return this.#view.getBigInt64(this.#advance(8), true);
  }

  double(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  fixed32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** A slice of the buffer, not a copy. */
  bytes(): Uint8Array {
    const length = this.varint();
    const start = this.#advance(length);
    return this.buffer.subarray(start, start + length);
  }

  /** Bytes that are not UTF-8 become U+FFFD. A longer text is cut. */
  string(maxBytes = Infinity): string {
    const length = this.varint();
    const start = this.#advance(length);
    return decodeText(this.buffer, start, start + Math.min(length, maxBytes));
  }

  /** A reader over the embedded message at this position. This reader continues after it. */
  message(): WireReader {
    const length = this.varint();
    const start = this.#advance(length);
    return new WireReader(this.buffer, start, start + length, this.#view);
  }

  /** Slices of all fields with this tag, from here to the end. The position does not change. */
  allOf(wanted: number): readonly Uint8Array[] {
    const { position } = this;
    const found: Uint8Array[] = [];
    while (!this.done) {
      const tag = this.tag();
      if (tag === wanted) found.push(this.bytes());
      else this.skip(tag);
    }
    this.position = position;
    return found;
  }

  /** Skips the value after `tag`. */
  skip(tag: number): void {
    switch (tag & 7) {
      case WireType.varint:
        this.varint();
        break;
      case WireType.fixed64:
        this.#advance(8);
        break;
      case WireType.bytes:
        this.#advance(this.varint());
        break;
      case WireType.fixed32:
        this.#advance(4);
        break;
      default:
        throw new RangeError(`wire type ${tag & 7} is not supported`);
    }
  }

  #byte(): number {
    if (this.position >= this.end) throw new RangeError('message ends inside a value');
    return this.buffer[this.position++] as number;
  }

  /** Skips `length` bytes and returns where they begin. */
  #advance(length: number): number {
    const start = this.position;
    if (length > this.end - start) throw new RangeError('value reaches beyond its message');
    this.position = start + length;
    return start;
  }
}

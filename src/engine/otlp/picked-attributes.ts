import { anyValueToText, readKeyValue, type AnyValue } from './any-value.ts';
import { viewOf } from '../columns/hash-bytes.ts';
import { WireReader } from './wire-reader.ts';

/** Longer ones are not compared. */
export const MAX_ATTRIBUTE_BYTES = 1024;
const MAX_PICKED = 64;

/** Attributes of one span that were picked out of a request, as places in its bytes. They are compared without decoding. */
export class PickedAttributes {
  /** Different for most different attributes. */
  hash = 0;
  /** Distinguishes spans by something else. */
  seed = 0;
  #request: DataView = new DataView(new ArrayBuffer(0));
  #sizeBytes = 0;
  #count = 0;
  readonly #starts = new Int32Array(MAX_PICKED);
  readonly #ends = new Int32Array(MAX_PICKED);

  /** @param seed becomes part of the hash, and not of the copy. */
  clear(request: DataView, seed = 0): void {
    this.#request = request;
    this.seed = seed;
    this.hash = seed;
    this.#sizeBytes = 0;
    this.#count = 0;
  }

  /** Adds the `KeyValue`, or another field, at [start, end). */
  add(start: number, end: number): void {
    this.#sizeBytes += end - start;
    if (this.isTooLong) return;
    this.#starts[this.#count] = start;
    this.#ends[this.#count++] = end;
    // The values differ at their ends.
    const last =
      this.#request.getInt32(end - 4, true) ^ Math.imul(this.#request.getInt32(Math.max(start, end - 8), true), 31);
    this.hash = Math.imul(this.hash ^ (end - start), 0x9e3779b1) ^ Math.imul(last, 0x85ebca6b);
  }

  /** True if they are not compared. */
  get isTooLong(): boolean {
    return this.#sizeBytes > MAX_ATTRIBUTE_BYTES || this.#count >= MAX_PICKED;
  }

  /** A copy of all of them, one after the other. */
  copy(): DataView {
    const copy = new Uint8Array(this.#sizeBytes);
    let at = 0;
    for (const message of this.#messages()) {
      copy.set(message, at);
      at += message.length;
    }
    return viewOf(copy);
  }

  /** True if `copy` would return the same. */
  equals(copy: DataView): boolean {
    if (copy.byteLength !== this.#sizeBytes) return false;
    let copied = 0;
    for (let i = 0; i < this.#count; i++) {
      const end = this.#ends[i] as number;
      let at = this.#starts[i] as number;
      for (; at + 4 <= end; at += 4, copied += 4)
        if (copy.getInt32(copied, true) !== this.#request.getInt32(at, true)) return false;
      for (; at < end; at++, copied++) if (copy.getUint8(copied) !== this.#request.getUint8(at)) return false;
    }
    return true;
  }

  /** The keys and values, as text: 1 and "1" are equal, as they are for Prometheus. */
  texts(): ReadonlyMap<string, string> {
    const attributes = new Map<string, AnyValue>();
    for (const message of this.#messages()) readKeyValue(new WireReader(message), attributes);
    return textsOf(attributes);
  }

  *#messages(): Generator<Uint8Array> {
    const { buffer, byteOffset } = this.#request;
    for (let i = 0; i < this.#count; i++) {
      const start = this.#starts[i] as number;
      yield new Uint8Array(buffer, byteOffset + start, (this.#ends[i] as number) - start);
    }
  }
}

/** The attributes of a point. `fields` are its attribute fields, with their tags. */
export function attributesIn(fields: Uint8Array): ReadonlyMap<string, string> {
  const attributes = new Map<string, AnyValue>();
  for (const reader = new WireReader(fields); !reader.done;) {
    reader.tag();
    readKeyValue(reader.message(), attributes);
  }
  return textsOf(attributes);
}

function textsOf(attributes: ReadonlyMap<string, AnyValue>): ReadonlyMap<string, string> {
  return new Map([...attributes].map(([key, value]) => [key, anyValueToText(value)]));
}

import { resized } from '../../../../engine/columns/grow.ts';

/** Appends bits to bytes, the highest bit first. */
export class BitWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;
  #current = 0;
  #free = 8;

  /** How many bytes are complete or begun. */
  get length(): number {
    return this.#free === 8 ? this.#length : this.#length + 1;
  }

  /** @param count at most 32. */
  write(value: number, count: number): void {
    let left = count;
    while (left > 0) {
      const taken = Math.min(left, this.#free);
      const part = (value >>> (left - taken)) & ((1 << taken) - 1);
      this.#current |= part << (this.#free - taken);
      this.#free -= taken;
      left -= taken;
      if (this.#free === 0) this.align();
    }
  }

  /** Begins a new byte. */
  align(): void {
    if (this.#free === 8) return;
    if (this.#length === this.#bytes.length) this.#bytes = resized(this.#bytes, this.#length * 2);
    this.#bytes[this.#length++] = this.#current;
    this.#current = 0;
    this.#free = 8;
  }

  /** A copy of the bytes. The writer is empty afterwards. */
  finish(): Uint8Array {
    this.align();
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return bytes;
  }
}

/** Reads what a `BitWriter` wrote. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #left = 8;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** @param count at most 32. @returns an unsigned number. */
  read(count: number): number {
    let value = 0;
    let wanted = count;
    while (wanted > 0) {
      const taken = Math.min(wanted, this.#left);
      const part = ((this.#bytes[this.#at] as number) >>> (this.#left - taken)) & ((1 << taken) - 1);
      value = ((value << taken) | part) >>> 0;
      this.#left -= taken;
      wanted -= taken;
      if (this.#left > 0) continue;
      this.#at++;
      this.#left = 8;
    }
    return value;
  }
}

import { randomBytes } from 'node:crypto';

/**
 * From (owner, bytes) to a row: open addressing over typed arrays, so that a million keys are no objects. A
 * hash only shortens the way; bytes are always compared.
 */
export class KeyTable {
  #slots = new Int32Array(1024);
  #count = 0;
  #hashes = new Int32Array(512);
  #owners = new Int32Array(512);
  #rows = new Int32Array(512);
  #starts = new Float64Array(512);
  #lengths = new Uint32Array(512);
  #bytes = new Uint8Array(16_384);
  #bytesUsed = 0;

  get size(): number {
    return this.#count;
  }

  /** The row, or -1. */
  find(owner: number, source: Uint8Array, start: number, end: number): number {
    const hash = hashKey(owner, source, start, end);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = (this.#slots[slot] as number) - 1;
      if (entry < 0) return -1;
      if (this.#hashes[entry] === hash && this.#owners[entry] === owner && this.#equals(entry, source, start, end)) {
        return this.#rows[entry] as number;
      }
    }
  }

  /** Copies the key. The caller knows that it is not there yet. */
  add(owner: number, key: Uint8Array, row: number): void {
    if (this.#count === this.#rows.length) this.#growEntries();
    this.#reserveBytes(key.length);
    const entry = this.#count++;
    this.#hashes[entry] = hashKey(owner, key, 0, key.length);
    this.#owners[entry] = owner;
    this.#rows[entry] = row;
    this.#starts[entry] = this.#bytesUsed;
    this.#lengths[entry] = key.length;
    this.#bytes.set(key, this.#bytesUsed);
    this.#bytesUsed += key.length;
    this.#place(entry);
  }

  #equals(entry: number, source: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.#lengths[entry] !== length) return false;
    const bytes = this.#bytes;
    const offset = this.#starts[entry] as number;
    for (let i = 0; i < length; i++) if (bytes[offset + i] !== source[start + i]) return false;
    return true;
  }

  #place(entry: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#hashes[entry] as number) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = entry + 1;
  }

  #growEntries(): void {
    const size = this.#rows.length * 2;
    this.#hashes = grow(this.#hashes, new Int32Array(size));
    this.#owners = grow(this.#owners, new Int32Array(size));
    this.#rows = grow(this.#rows, new Int32Array(size));
    this.#starts = grow(this.#starts, new Float64Array(size));
    this.#lengths = grow(this.#lengths, new Uint32Array(size));
    this.#slots = new Int32Array(size * 2);
    for (let entry = 0; entry < this.#count; entry++) this.#place(entry);
  }

  #reserveBytes(length: number): void {
    const needed = this.#bytesUsed + length;
    if (needed <= this.#bytes.length) return;
    this.#bytes = grow(this.#bytes, new Uint8Array(Math.max(needed, this.#bytes.length * 2)));
  }
}

/** Copies the old content into the larger array. */
export function grow<T extends Int32Array | Uint32Array | Float64Array | Uint8Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}

/** Differs from run to run, so that nobody outside can prepare keys that collide. */
const SEED = randomBytes(4).readInt32LE();

/** Four bytes a step. */
function hashKey(owner: number, source: Uint8Array, start: number, end: number): number {
  let hash = Math.imul(owner ^ SEED, 0x85ebca6b) ^ (end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word =
      (source[at] as number) |
      ((source[at + 1] as number) << 8) |
      ((source[at + 2] as number) << 16) |
      ((source[at + 3] as number) << 24);
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ (source[at] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

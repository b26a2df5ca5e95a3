import { grow, resized } from '../../../../engine/columns/grow.ts';
import { hashBytes, viewOf } from '../../../../engine/columns/hash-bytes.ts';
import { HashIndex } from '../../../../engine/columns/hash-index.ts';

/** Numbers of entries have 16 bits, and 0 may mean none. */
export const MAX_ENTRIES = 65_534;

const FIRST_ENTRIES = 256;
const FIRST_BYTES = 2 * 1024;
const RECENT_BITS = 11;
const RECENT_SLOTS = 1 << RECENT_BITS;

/** The entries of a dictionary to which nothing more is added. */
export interface DictionaryContent {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** Numbers distinct byte strings from 0 in the order in which they come. */
export class ByteDictionary {
  /** Undefined when nothing more is added. */
  #index: HashIndex | undefined = new HashIndex();
  #bytes: Buffer = Buffer.alloc(FIRST_BYTES);
  #view = viewOf(this.#bytes);
  #ends = new Uint32Array(FIRST_ENTRIES);
  /** Entries + 1 that were found lately, by a hash that is cheap and that a sender can make useless. */
  #recent = new Uint16Array(RECENT_SLOTS);
  #count = 0;
  /** Places of the bytes that were looked for last. */
  #slot = 0;
  #hash = 0;

  static from({ bytes, ends }: DictionaryContent): ByteDictionary {
    const dictionary = new ByteDictionary();
    dictionary.#bytes = Buffer.from(bytes);
    dictionary.#view = viewOf(dictionary.#bytes);
    dictionary.#ends = ends.slice();
    dictionary.#count = ends.length;
    dictionary.#close();
    return dictionary;
  }

  /** After `seal`. */
  get content(): DictionaryContent {
    return { bytes: this.#bytes, ends: this.#ends };
  }

  get count(): number {
    return this.#count;
  }

  /** The memory that it takes. */
  get heldBytes(): number {
    const index = this.#index === undefined ? 0 : 4096 + this.#count * 32;
    return this.#bytes.length + this.#ends.byteLength + this.#recent.byteLength + index;
  }

  /** The entry with these bytes, or -1. */
  find(view: DataView, start: number, end: number): number {
    const index = this.#index;
    if (index === undefined) return this.#scan(view, start, end);
    this.#slot = slotOf(view, start, end);
    const recent = (this.#recent[this.#slot] as number) - 1;
    if (recent >= 0 && this.#equals(recent, view, start, end)) return recent;
    const hash = hashBytes(0, view, start, end);
    this.#hash = hash;
    for (let slot = index.seek(hash); ; slot = index.next(slot, hash)) {
      const entry = index.entryAt(slot);
      if (entry >= 0 && !this.#equals(entry, view, start, end)) continue;
      if (entry >= 0) this.#recent[this.#slot] = entry + 1;
      return entry;
    }
  }

  /** Adds the bytes that the last call has not found. There must be less than `MAX_ENTRIES`. */
  add(view: DataView, start: number, end: number): number {
    const entry = this.#count;
    const from = this.#startOf(entry);
    const to = from + end - start;
    this.#fit(to);
    this.#copy(from, view, start, end);
    this.#ends[entry] = to;
    this.#count++;
    this.#index?.add(this.#hash, entry);
    this.#recent[this.#slot] = entry + 1;
    return entry;
  }

  intern(view: DataView, start: number, end: number): number {
    const entry = this.find(view, start, end);
    return entry >= 0 ? entry : this.add(view, start, end);
  }

  /** Like `find`, for the bytes of an entry of another dictionary. */
  findEntry(other: ByteDictionary, entry: number): number {
    return this.find(other.#view, other.#startOf(entry), other.#ends[entry] as number);
  }

  /** Like `add`, after `findEntry`. */
  addEntry(other: ByteDictionary, entry: number): number {
    return this.add(other.#view, other.#startOf(entry), other.#ends[entry] as number);
  }

  /** A hash whose collisions a sender cannot prepare. */
  hashOf(entry: number): number {
    return hashBytes(0, this.#view, this.#startOf(entry), this.#ends[entry] as number);
  }

  /** True if an entry of another dictionary has the same bytes. */
  haveSame(entry: number, other: ByteDictionary, otherEntry: number): boolean {
    return this.#equals(entry, other.#view, other.#startOf(otherEntry), other.#ends[otherEntry] as number);
  }

  internBytes(bytes: Uint8Array): number {
    return this.intern(viewOf(bytes), 0, bytes.length);
  }

  /** A slice of the dictionary, not a copy. */
  bytesOf(entry: number): Buffer {
    return this.#bytes.subarray(this.#startOf(entry), this.#ends[entry]);
  }

  startsWith(entry: number, prefix: Uint8Array): boolean {
    const from = this.#startOf(entry);
    if ((this.#ends[entry] as number) - from < prefix.length) return false;
    for (let i = 0; i < prefix.length; i++) if (this.#bytes[from + i] !== prefix[i]) return false;
    return true;
  }

  /** For each entry a hash that is the same for the same bytes in all dictionaries. A sender can make it useless. */
  cheapHashes(): Int32Array {
    const [view, ends] = [this.#view, this.#ends];
    const hashes = new Int32Array(this.#count);
    for (let entry = 0, start = 0; entry < hashes.length; entry++) {
      const end = ends[entry] as number;
      hashes[entry] = cheapHash(view, start, end);
      start = end;
    }
    return hashes;
  }

  textOf(entry: number): string {
    return this.#bytes.toString('utf8', this.#startOf(entry), this.#ends[entry]);
  }

  /** Nothing more is added: gives back the memory for that. */
  seal(): void {
    const length = this.#startOf(this.#count);
    this.#bytes = Buffer.from(this.#bytes.subarray(0, length));
    this.#view = viewOf(this.#bytes);
    this.#ends = resized(this.#ends, this.#count);
    this.#close();
  }

  #close(): void {
    this.#recent = new Uint16Array(0);
    this.#index = undefined;
  }

  #startOf(entry: number): number {
    return entry === 0 ? 0 : (this.#ends[entry - 1] as number);
  }

  #scan(view: DataView, start: number, end: number): number {
    for (let entry = 0; entry < this.#count; entry++) if (this.#equals(entry, view, start, end)) return entry;
    return -1;
  }

  #equals(entry: number, view: DataView, start: number, end: number): boolean {
    const from = this.#startOf(entry);
    const length = end - start;
    if ((this.#ends[entry] as number) - from !== length) return false;
    const own = this.#view;
    const shift = from - start;
    for (let at = start; at < end - 3; at += 4) {
      if (own.getInt32(at + shift, true) !== view.getInt32(at, true)) return false;
    }
    // The last word may overlap the one before it.
    if (length >= 4) return own.getInt32(end - 4 + shift, true) === view.getInt32(end - 4, true);
    for (let at = start; at < end; at++) if (own.getUint8(at + shift) !== view.getUint8(at)) return false;
    return true;
  }

  /** Most are too short for a call of `set`, which needs another view. */
  #copy(to: number, view: DataView, start: number, end: number): void {
    const own = this.#view;
    const shift = to - start;
    let at = start;
    for (; at + 4 <= end; at += 4) own.setInt32(at + shift, view.getInt32(at, true), true);
    for (; at < end; at++) own.setUint8(at + shift, view.getUint8(at));
  }

  #fit(bytes: number): void {
    if (bytes > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, bytes));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = viewOf(larger);
    }
    if (this.#count < this.#ends.length) return;
    this.#ends = grow(this.#ends);
  }
}

function cheapHash(view: DataView, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (; at + 4 <= end; at += 4) hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1);
  for (; at < end; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x85ebca6b);
  return hash ^ (hash >>> 15);
}

/** Where to remember bytes that occur often: from their beginning, their end and their length. */
function slotOf(view: DataView, start: number, end: number): number {
  const length = end - start;
  if (length < 8) return length === 0 ? 0 : (view.getUint8(start) * 31 + view.getUint8(end - 1)) & (RECENT_SLOTS - 1);
  const tail = view.getInt32(end - 4, true) ^ Math.imul(view.getInt32(end - 8, true), 0x9e3779b1);
  return (
    Math.imul(tail ^ Math.imul(view.getInt32(start + 2, true) + length, 0x85ebca6b), 0xc2b2ae35) >>> (32 - RECENT_BITS)
  );
}

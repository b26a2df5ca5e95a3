import { inBlock, BLOCK_BYTES, type Arena } from './arena.ts';
import { grow } from './grow.ts';
import { hashBytes } from './hash-bytes.ts';
import { HashIndex } from './hash-index.ts';

/** The encoded attributes in a request. */
export interface AttributeBytes {
  readonly view: DataView;
  readonly keyStart: number;
  readonly keyEnd: number;
}

/** Senders usually keep the order of attributes. One that changes it often causes new translations. */
const ENTRIES_A_ROW = 4;
const FIRST_SIZE = 1024;

/**
 * Maps a stream and encoded attributes to the row of a series, so that known series need no decoding. The same
 * attributes in another order are another entry of the same row.
 */
export class AttributeIndex {
  readonly #arena: Arena;
  readonly #index = new HashIndex();
  #streams = new Int32Array(FIRST_SIZE);
  #hashes = new Int32Array(FIRST_SIZE);
  #addresses = new Uint32Array(FIRST_SIZE);
  #lengths = new Uint32Array(FIRST_SIZE);
  #nextOfRow = new Int32Array(FIRST_SIZE);
  /** Indexed by row. */
  #firstOfRow = new Int32Array(FIRST_SIZE);
  #used = 0;
  #free = -1;
  #predicted = 0;
  /** Indexed by entry: the row of the series, and the identity of the sender (see `SeriesTable.owners`). */
  rows = new Int32Array(FIRST_SIZE);
  identities = new Int32Array(FIRST_SIZE);

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** The entry, or -1. Points usually come in the same order as before, so the entry after the last result is tried first. */
  find(stream: number, key: AttributeBytes): number {
    let entry = this.#predicted;
    if (!this.#matches(entry, stream, key)) entry = this.#search(stream, key);
    if (entry >= 0) this.#predicted = entry + 1 < this.#used ? entry + 1 : 0;
    return entry;
  }

  /** Copies the key. It must be new, and not longer than `MAX_KEY_BYTES`. */
  add(stream: number, key: AttributeBytes, target: { readonly row: number; readonly identity: number }): number {
    const { row, identity } = target;
    while (row >= this.#firstOfRow.length) this.#firstOfRow = grow(this.#firstOfRow);
    this.#forgetOldest(row);
    const entry = this.#newEntry();
    this.#streams[entry] = stream;
    const hash = hashBytes(stream, key.view, key.keyStart, key.keyEnd);
    this.#hashes[entry] = hash;
    this.#copyKey(entry, key);
    this.rows[entry] = row;
    this.identities[entry] = identity;
    this.#nextOfRow[entry] = (this.#firstOfRow[row] as number) - 1;
    this.#firstOfRow[row] = entry + 1;
    this.#index.add(hash, entry);
    return entry;
  }

  /** Removes all entries of the row. */
  removeRow(row: number): void {
    if (row >= this.#firstOfRow.length) return;
    let entry = (this.#firstOfRow[row] as number) - 1;
    this.#firstOfRow[row] = 0;
    while (entry >= 0) {
      const next = this.#nextOfRow[entry] as number;
      this.#remove(entry);
      entry = next;
    }
  }

  #search(stream: number, key: AttributeBytes): number {
    const hash = hashBytes(stream, key.view, key.keyStart, key.keyEnd);
    for (let slot = this.#index.seek(hash); ; slot = this.#index.next(slot, hash)) {
      const entry = this.#index.entryAt(slot);
      if (entry < 0 || this.#matches(entry, stream, key)) return entry;
    }
  }

  #matches(entry: number, stream: number, { view, keyStart, keyEnd }: AttributeBytes): boolean {
    const length = keyEnd - keyStart;
    if (this.#streams[entry] !== stream || this.#lengths[entry] !== length) return false;
    const address = this.#addresses[entry] as number;
    const { words, bytes } = this.#arena.block(address);
    const start = inBlock(address);
    const wholeWords = length >>> 2;
    const firstWord = start >>> 2;
    for (let i = 0; i < wholeWords; i++) {
      if (words[firstWord + i] !== view.getInt32(keyStart + 4 * i, true)) return false;
    }
    for (let i = wholeWords * 4; i < length; i++) {
      if (bytes[start + i] !== view.getUint8(keyStart + i)) return false;
    }
    return true;
  }

  #copyKey(entry: number, { view, keyStart, keyEnd }: AttributeBytes): void {
    const length = keyEnd - keyStart;
    const address = this.#arena.allocate(length);
    const source = new Uint8Array(view.buffer, view.byteOffset + keyStart, length);
    this.#arena.block(address).bytes.set(source, inBlock(address));
    this.#addresses[entry] = address;
    this.#lengths[entry] = length;
  }

  #forgetOldest(row: number): void {
    let count = 0;
    let before = -1;
    let last = -1;
    for (let entry = (this.#firstOfRow[row] as number) - 1; entry >= 0; entry = this.#nextOfRow[entry] as number) {
      before = last;
      last = entry;
      count++;
    }
    if (count < ENTRIES_A_ROW) return;
    this.#nextOfRow[before] = -1;
    this.#remove(last);
  }

  #remove(entry: number): void {
    this.#index.remove(this.#hashes[entry] as number, entry);
    this.#arena.release(this.#addresses[entry] as number, this.#lengths[entry] as number);
    this.#streams[entry] = 0;
    this.#nextOfRow[entry] = this.#free;
    this.#free = entry;
  }

  #newEntry(): number {
    const free = this.#free;
    if (free >= 0) {
      this.#free = this.#nextOfRow[free] as number;
      return free;
    }
    if (this.#used === this.rows.length) this.#growEntries();
    return this.#used++;
  }

  #growEntries(): void {
    this.#streams = grow(this.#streams);
    this.#hashes = grow(this.#hashes);
    this.#addresses = grow(this.#addresses);
    this.#lengths = grow(this.#lengths);
    this.#nextOfRow = grow(this.#nextOfRow);
    this.rows = grow(this.rows);
    this.identities = grow(this.identities);
  }
}

/** Points with longer attributes are refused. */
export const MAX_KEY_BYTES = BLOCK_BYTES / 16;

import { inBlock, type Arena } from './arena.ts';
import { grow, resized } from '../../../../engine/columns/grow.ts';
import { hashBytes } from '../../../../engine/columns/hash-bytes.ts';
import { HashIndex } from '../../../../engine/columns/hash-index.ts';
import { FIRST_SIZE, RowNumbers } from './row-numbers.ts';

/** The encoded attributes in a request. */
export interface AttributeBytes {
  readonly view: DataView;
  readonly keyStart: number;
  readonly keyEnd: number;
}

/** Senders usually keep the order of attributes. One that changes it often causes new translations. */
const ENTRIES_A_ROW = 4;

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
  readonly #numbers = new RowNumbers();
  #predicted = 0;
  /** Indexed by entry: the row of the series, and the identity of the sender (see `SeriesTable.owners`). */
  rows = new Int32Array(FIRST_SIZE);
  identities = new Int32Array(FIRST_SIZE);

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** The number of entries. */
  get count(): number {
    return this.#numbers.count;
  }

  /** All entries are below this number. */
  get end(): number {
    return this.#numbers.end;
  }

  /** The entry, or -1. Points usually come in the same order as before, so the entry after the last result is tried first. */
  find(stream: number, key: AttributeBytes): number {
    let entry = this.#predicted;
    if (!this.#matches(entry, stream, key)) entry = this.#search(stream, key);
    if (entry >= 0) this.#predicted = entry + 1 < this.#numbers.end ? entry + 1 : 0;
    return entry;
  }

  /** Copies the key. It must be new, and not longer than `MAX_KEY_BYTES`. */
  add(stream: number, key: AttributeBytes, target: { readonly row: number; readonly identity: number }): number {
    const { row, identity } = target;
    while (row >= this.#firstOfRow.length) this.#firstOfRow = grow(this.#firstOfRow);
    this.#forgetOldest(row);
    const entry = this.#numbers.take();
    this.#fitColumns();
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

  /** The entries of a row belong to another one, which has none. */
  moveRow(from: number, to: number): void {
    if (from >= this.#firstOfRow.length) return;
    const first = this.#firstOfRow[from] as number;
    this.#firstOfRow[from] = 0;
    this.#firstOfRow[to] = first;
    for (let entry = first - 1; entry >= 0; entry = this.#nextOfRow[entry] as number) this.rows[entry] = to;
  }

  /** Moves the keys of these entries out of blocks that the arena vacates. */
  vacateBlocks(from: number, to: number): void {
    for (let entry = from; entry < Math.min(to, this.#numbers.end); entry++) {
      const address = this.#addresses[entry] as number;
      if (!this.#numbers.isUsed(entry) || !this.#arena.isVacated(address)) continue;
      this.#addresses[entry] = this.#arena.move(address, this.#lengths[entry] as number);
    }
  }

  /** Moves up to this many entries to lower numbers, and shortens the columns. Returns true if there are more gaps. */
  compact(moves: number, rows: number): boolean {
    for (let i = 0; i < moves; i++) {
      const move = this.#numbers.nextMove();
      if (move === undefined) {
        this.#fitColumns();
        this.#shortenRows(rows);
        return false;
      }
      this.#moveEntry(move.from, move.to);
    }
    return true;
  }

  #shortenRows(rows: number): void {
    const length = Math.max(FIRST_SIZE, rows * 2);
    if (length * 2 < this.#firstOfRow.length) this.#firstOfRow = resized(this.#firstOfRow, length);
  }

  #moveEntry(from: number, to: number): void {
    this.#index.replace(this.#hashes[from] as number, from, to);
    const row = this.rows[from] as number;
    const first = (this.#firstOfRow[row] as number) - 1;
    if (first === from) this.#firstOfRow[row] = to + 1;
    for (let entry = first; entry >= 0 && entry !== from; entry = this.#nextOfRow[entry] as number) {
      if (this.#nextOfRow[entry] === from) this.#nextOfRow[entry] = to;
    }
    const columns = [this.#streams, this.#hashes, this.#addresses, this.#lengths, this.#nextOfRow];
    for (const column of [...columns, this.rows, this.identities]) column[to] = column[from] as number;
    this.#streams[from] = 0;
    this.#numbers.release(from);
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
    this.#numbers.release(entry);
  }

  #fitColumns(): void {
    const length = this.#numbers.lengthFor(this.rows.length);
    if (length === this.rows.length) return;
    this.#streams = resized(this.#streams, length);
    this.#hashes = resized(this.#hashes, length);
    this.#addresses = resized(this.#addresses, length);
    this.#lengths = resized(this.#lengths, length);
    this.#nextOfRow = resized(this.#nextOfRow, length);
    this.rows = resized(this.rows, length);
    this.identities = resized(this.identities, length);
  }
}

/** Points with longer attributes are refused. */
export const MAX_KEY_BYTES = 64 * 1024;

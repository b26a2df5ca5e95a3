import { grow, KeyTable } from './key-table.ts';
import type { MetricType } from './metric-type.ts';

/** The series of one name on the page. */
export interface Family {
  readonly id: number;
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  first: number;
  last: number;
}

/** Everything that the page shows, as columns: row after row, in the order of birth, linked within a family. */
export class SeriesStore {
  #aliases = new KeyTable();
  #identities = new KeyTable();
  #capacity = 512;
  #live = 0;
  rows = 0;
  alive = new Uint8Array(512);
  next = new Int32Array(512);
  values = new Float64Array(512);
  times = new Float64Array(512);
  seen = new Float64Array(512);
  textStarts = new Float64Array(512);
  textLengths = new Uint32Array(512);
  /** Label text, rendered at birth. */
  text: Buffer = Buffer.allocUnsafe(16_384);
  #textUsed = 0;
  /** Bucket counts and quantiles; absent for numbers. */
  distributions: (Distribution | undefined)[] = [];
  #families: (Family | undefined)[] = [];

  /** Series that are on the page. */
  get size(): number {
    return this.#live;
  }

  /** The row that these attribute bytes lead to, or -1. */
  find(stream: number, key: Uint8Array, start: number, end: number): number {
    return this.#aliases.find(stream, key, start, end);
  }

  /** The row with this label text in the family, or -1. */
  findText(family: Family, text: Uint8Array): number {
    return this.#identities.find(family.id, text, 0, text.length);
  }

  /** Other bytes of the same labels. There are at most four a series, so that the order of attributes cannot fill the memory. */
  addAlias(stream: number, key: Uint8Array, row: number): void {
    if (this.#aliases.size < this.rows * 4) this.#aliases.add(stream, key, row);
  }

  add(family: Family, text: Uint8Array): number {
    if (this.rows === this.#capacity) this.#growRows();
    const row = this.rows++;
    this.#identities.add(family.id, text, row);
    this.#link(family, row);
    this.textStarts[row] = this.#appendText(text);
    this.textLengths[row] = text.length;
    this.alive[row] = 0;
    this.distributions[row] = undefined;
    return row;
  }

  /** Puts the row on the page; its old value, if it had one, is gone. */
  revive(row: number): void {
    if (this.alive[row] === 0) this.#live++;
    this.alive[row] = 1;
    this.values[row] = 0;
    this.times[row] = 0;
    this.distributions[row] = undefined;
  }

  remove(row: number): void {
    if (this.alive[row] === 1) this.#live--;
    this.alive[row] = 0;
    this.distributions[row] = undefined;
  }

  /** Takes what was not updated since off the page, and returns how many series that were. */
  expire(beforeMs: number): number {
    const before = this.#live;
    for (let row = 0; row < this.rows; row++) {
      if (this.alive[row] === 1 && (this.seen[row] as number) < beforeMs) this.remove(row);
    }
    return before - this.#live;
  }

  /** Whether the rows that are off the page are worth a new store. */
  get isSparse(): boolean {
    return this.rows - this.#live > 1024 + this.#live / 4;
  }

  /** A store with only what is on the page. Families are linked anew; aliases are forgotten, and come back with the next points. */
  compacted(): SeriesStore {
    const store = new SeriesStore();
    for (const family of this.#families) if (family !== undefined) family.first = family.last = -1;
    for (let row = 0; row < this.rows; row++) if (this.alive[row] === 1) this.#copyTo(store, row);
    return store;
  }

  #copyTo(store: SeriesStore, row: number): void {
    const start = this.textStarts[row] as number;
    const text = this.text.subarray(start, start + (this.textLengths[row] as number));
    const copy = store.add(this.#families[row] as Family, text);
    store.revive(copy);
    store.values[copy] = this.values[row] as number;
    store.times[copy] = this.times[row] as number;
    store.seen[copy] = this.seen[row] as number;
    store.distributions[copy] = this.distributions[row];
  }

  #link(family: Family, row: number): void {
    this.#families[row] = family;
    this.next[row] = -1;
    if (family.last < 0) family.first = row;
    else this.next[family.last] = row;
    family.last = row;
  }

  #appendText(text: Uint8Array): number {
    const start = this.#textUsed;
    const needed = start + text.length;
    if (needed > this.text.length) this.text = grow(this.text, Buffer.allocUnsafe(Math.max(needed, start * 2)));
    this.text.set(text, start);
    this.#textUsed = needed;
    return start;
  }

  #growRows(): void {
    const size = (this.#capacity *= 2);
    this.alive = grow(this.alive, new Uint8Array(size));
    this.next = grow(this.next, new Int32Array(size));
    this.values = grow(this.values, new Float64Array(size));
    this.times = grow(this.times, new Float64Array(size));
    this.seen = grow(this.seen, new Float64Array(size));
    this.textStarts = grow(this.textStarts, new Float64Array(size));
    this.textLengths = grow(this.textLengths, new Uint32Array(size));
  }
}

/** What a histogram (bounds and plain counts) or a summary (quantiles and values) holds. */
export interface Distribution {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

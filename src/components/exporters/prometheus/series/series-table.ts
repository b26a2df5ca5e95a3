import { inBlock, type Arena } from './arena.ts';
import { BucketLayouts, type BucketLayout } from './bucket-layout.ts';
import type { Family } from './family.ts';
import { grow } from './grow.ts';
import { hashBytes, viewOf } from './hash-bytes.ts';
import { HashIndex } from './hash-index.ts';

const FIRST_SIZE = 1024;

/** Positions in the cells of a histogram or summary. */
export const COUNT_CELL = 0;
export const SUM_CELL = 1;
/** 0 if no sum was sent. */
export const HAS_SUM_CELL = 2;
export const FIRST_BUCKET_CELL = 3;
const CELL_BYTES = 8;

/**
 * All series as rows of columns; a series is not an object.
 *
 *     row      families[row]     its family; the rows of a family are linked through `next`
 *              text              address and length of its label text in the arena, written once when the row is added:
 *                                `name{labels} ` for numbers, `labels` for histograms and summaries
 *              values[row]       the number, or
 *              layouts[row]      the bounds, and in the arena the cells: count, sum, 1 if a sum was sent, one per bucket
 *              timeHigh, timeLow time of the value (nanoseconds in two halves: doubles are too coarse)
 *              startHigh, startLow  start time of the count, if known
 *              seenMs[row]       arrival time of the last point; old rows leave the page
 *              owners[row]       identity of the sender: a hash of resource, scope, metric and attributes
 *
 * Rows are found by family and label text. A sweep frees hidden rows in slices, and they are reused. Rows never move.
 */
export class SeriesTable {
  readonly arena: Arena;
  readonly #identities = new HashIndex();
  readonly #histogramLayouts = new BucketLayouts('le');
  readonly #summaryLayouts = new BucketLayouts('quantile');
  #used = 0;
  #occupied = 0;
  #live = 0;
  #free = -1;
  #hashes = new Int32Array(FIRST_SIZE);
  #previous = new Int32Array(FIRST_SIZE);
  #textAddresses = new Uint32Array(FIRST_SIZE);
  #textLengths = new Uint32Array(FIRST_SIZE);
  #cellAddresses = new Uint32Array(FIRST_SIZE);
  #cellBytes = new Uint32Array(FIRST_SIZE);
  next = new Int32Array(FIRST_SIZE);
  values = new Float64Array(FIRST_SIZE);
  timeHigh = new Uint32Array(FIRST_SIZE);
  timeLow = new Uint32Array(FIRST_SIZE);
  startHigh = new Uint32Array(FIRST_SIZE);
  startLow = new Uint32Array(FIRST_SIZE);
  /** -Infinity for hidden rows. */
  seenMs = new Float64Array(FIRST_SIZE);
  owners = new Int32Array(FIRST_SIZE);
  readonly families: Family[] = [];
  readonly layouts: (BucketLayout | undefined)[] = [];

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** The number of rows on the page. */
  get live(): number {
    return this.#live;
  }

  /** The number of rows that use memory. */
  get occupied(): number {
    return this.#occupied;
  }

  /** All rows are below this number. */
  get end(): number {
    return this.#used;
  }

  isLive(row: number): boolean {
    return this.seenMs[row] !== -Infinity;
  }

  isOccupied(row: number): boolean {
    return this.#previous[row] !== FREE;
  }

  /** The row with this text in the family, or -1. */
  find(family: Family, text: Uint8Array): number {
    const hash = hashBytes(family.id, viewOf(text), 0, text.length);
    for (let slot = this.#identities.seek(hash); ; slot = this.#identities.next(slot, hash)) {
      const row = this.#identities.entryAt(slot);
      if (row < 0 || (this.families[row] === family && this.#hasText(row, text))) return row;
    }
  }

  /** Adds a hidden row. The family must not have this text yet. */
  add(family: Family, text: Uint8Array): number {
    const row = this.#newRow();
    this.#occupied++;
    this.seenMs[row] = -Infinity;
    this.layouts[row] = undefined;
    const hash = hashBytes(family.id, viewOf(text), 0, text.length);
    this.#hashes[row] = hash;
    this.#identities.add(hash, row);
    const address = this.arena.allocate(text.length);
    this.arena.block(address).bytes.set(text, inBlock(address));
    this.#textAddresses[row] = address;
    this.#textLengths[row] = text.length;
    this.#link(family, row);
    return row;
  }

  /** Puts the row on the page, with 0 and without times. */
  show(row: number, owner: number, nowMs: number): void {
    if (!this.isLive(row)) {
      this.#live++;
      (this.families[row] as Family).live++;
    }
    this.seenMs[row] = nowMs;
    this.owners[row] = owner;
    this.values[row] = 0;
    this.timeHigh[row] = 0;
    this.timeLow[row] = 0;
    this.setStart(row, UNKNOWN_START);
    this.#releaseCells(row);
  }

  setStart(row: number, { startHigh, startLow }: { readonly startHigh: number; readonly startLow: number }): void {
    this.startHigh[row] = startHigh;
    this.startLow[row] = startLow;
  }

  /** Removes the row from the page. */
  hide(row: number): void {
    if (!this.isLive(row)) return;
    this.seenMs[row] = -Infinity;
    this.#live--;
    (this.families[row] as Family).live--;
  }

  /** Frees a hidden row. Its family must not be iterated meanwhile. */
  free(row: number): void {
    this.#identities.remove(this.#hashes[row] as number, row);
    this.arena.release(this.#textAddresses[row] as number, this.#textLengths[row] as number);
    this.#releaseCells(row);
    this.#unlink(row);
    this.next[row] = this.#free;
    this.#previous[row] = FREE;
    this.#free = row;
    this.#occupied--;
  }

  /** The address of the row's text in the arena. */
  textAddress(row: number): number {
    return this.#textAddresses[row] as number;
  }

  text(row: number): string {
    const address = this.textAddress(row);
    const start = inBlock(address);
    return this.arena.block(address).bytes.toString('utf8', start, start + this.textLength(row));
  }

  textLength(row: number): number {
    return this.#textLengths[row] as number;
  }

  cellAddress(row: number): number {
    return this.#cellAddresses[row] as number;
  }

  /** Allocates cells for these bounds, all zero. */
  setLayout(row: number, values: Float64Array): void {
    this.#releaseCells(row);
    const layout = this.#layoutsOf(row).acquire(values);
    const sizeBytes = (FIRST_BUCKET_CELL + layout.values.length) * CELL_BYTES;
    const address = this.arena.allocate(sizeBytes);
    const start = inBlock(address) / CELL_BYTES;
    this.arena.block(address).cells.fill(0, start, start + sizeBytes / CELL_BYTES);
    this.layouts[row] = layout;
    this.#cellAddresses[row] = address;
    this.#cellBytes[row] = sizeBytes;
  }

  #releaseCells(row: number): void {
    const layout = this.layouts[row];
    if (layout === undefined) return;
    this.#layoutsOf(row).release(layout);
    this.arena.release(this.#cellAddresses[row] as number, this.#cellBytes[row] as number);
    this.layouts[row] = undefined;
  }

  #layoutsOf(row: number): BucketLayouts {
    return this.families[row]?.type === 'summary' ? this.#summaryLayouts : this.#histogramLayouts;
  }

  #hasText(row: number, text: Uint8Array): boolean {
    const length = this.#textLengths[row] as number;
    if (length !== text.length) return false;
    const address = this.#textAddresses[row] as number;
    const start = inBlock(address);
    return this.arena.block(address).bytes.compare(text, 0, length, start, start + length) === 0;
  }

  #link(family: Family, row: number): void {
    this.families[row] = family;
    this.next[row] = -1;
    this.#previous[row] = family.lastRow;
    if (family.lastRow < 0) family.firstRow = row;
    else this.next[family.lastRow] = row;
    family.lastRow = row;
  }

  #unlink(row: number): void {
    const family = this.families[row] as Family;
    const previous = this.#previous[row] as number;
    const next = this.next[row] as number;
    if (previous < 0) family.firstRow = next;
    else this.next[previous] = next;
    if (next < 0) family.lastRow = previous;
    else this.#previous[next] = previous;
  }

  #newRow(): number {
    const free = this.#free;
    if (free >= 0) {
      this.#free = this.next[free] as number;
      return free;
    }
    if (this.#used === this.values.length) this.#growRows();
    return this.#used++;
  }

  #growRows(): void {
    this.#hashes = grow(this.#hashes);
    this.#previous = grow(this.#previous);
    this.#textAddresses = grow(this.#textAddresses);
    this.#textLengths = grow(this.#textLengths);
    this.#cellAddresses = grow(this.#cellAddresses);
    this.#cellBytes = grow(this.#cellBytes);
    this.next = grow(this.next);
    this.values = grow(this.values);
    this.timeHigh = grow(this.timeHigh);
    this.timeLow = grow(this.timeLow);
    this.startHigh = grow(this.startHigh);
    this.startLow = grow(this.startLow);
    this.seenMs = grow(this.seenMs);
    this.owners = grow(this.owners);
  }
}

const UNKNOWN_START = { startHigh: 0, startLow: 0 };

/** Marks a free row in the column `previous`. */
const FREE = -2;

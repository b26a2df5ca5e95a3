import { inBlock, type Arena } from './arena.ts';
import { BucketLayouts, type BucketLayout } from './bucket-layout.ts';
import type { Family } from './family.ts';
import { grow } from './grow.ts';
import { hashBytes, viewOf } from './hash-bytes.ts';
import { HashIndex } from './hash-index.ts';

const FIRST_SIZE = 1024;

/** Cells of a distribution before those of its buckets. */
export const COUNT_CELL = 0;
export const SUM_CELL = 1;
/** 0 where no sum was sent. */
export const HAS_SUM_CELL = 2;
export const FIRST_BUCKET_CELL = 3;
const CELL_BYTES = 8;

/**
 * Every series that the page shows, as a row of columns: no series is an object.
 *
 *     row      families[row]     its family, whose rows are a list through `next`
 *              text              address and length of its label text in the arena, rendered once, at birth:
 *                                `name{labels} ` for numbers, `labels` for histograms and summaries
 *              values[row]       the number, or
 *              layouts[row]      the bounds, and in the arena the cells: count, sum, whether there is one, one per bucket
 *              timeHigh, timeLow when the value was measured (nanoseconds, two halves: doubles are too coarse)
 *              startHigh, startLow  when the count began, as long as that is known
 *              seenMs[row]       when it arrived; a row that was not seen for long leaves the page
 *              owners[row]       who it belongs to: a hash of resource, scope, metric and attributes
 *
 * A row is found by family and label text. Rows that have left the page are freed by a sweep, in slices,
 * and used again; nothing is ever compacted.
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
  /** -Infinity: no longer on the page. */
  seenMs = new Float64Array(FIRST_SIZE);
  owners = new Int32Array(FIRST_SIZE);
  readonly families: Family[] = [];
  readonly layouts: (BucketLayout | undefined)[] = [];

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** Rows that are on the page. */
  get live(): number {
    return this.#live;
  }

  /** Rows that take memory. */
  get occupied(): number {
    return this.#occupied;
  }

  /** Rows are below this. */
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

  /** A row that is not on the page yet. The caller knows that the text is not there. */
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

  /** Puts the row on the page, without a value and as nobody's yet measured. */
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

  /** Takes the row off the page. */
  hide(row: number): void {
    if (!this.isLive(row)) return;
    this.seenMs[row] = -Infinity;
    this.#live--;
    (this.families[row] as Family).live--;
  }

  /** Gives the memory of a row that is off the page to the next. No walk along its family may be under way. */
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

  /** Where the row's text is in the arena. */
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

  /** Gives the row cells for these bounds, all zero. */
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

/** In the column `previous`: the row is nobody's. */
const FREE = -2;

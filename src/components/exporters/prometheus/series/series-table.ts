import { inBlock, type Arena } from './arena.ts';
import { BucketLayouts, type BucketLayout } from './bucket-layout.ts';
import type { Family } from './family.ts';
import { resized } from '../../../../engine/columns/grow.ts';
import { hashBytes, viewOf } from '../../../../engine/columns/hash-bytes.ts';
import { HashIndex } from '../../../../engine/columns/hash-index.ts';
import { FIRST_SIZE, RowNumbers } from './row-numbers.ts';
import type { Target } from './targets.ts';

/** Who shows a row. */
interface RowSender {
  readonly owner: number;
  readonly target: Target;
  readonly context?: number;
}

export interface Total {
  readonly count: number;
  readonly sum: number;
}

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
 *              targets[row]      the target that the row counts for
 *              historyNumbers[row]  its number in a metric history plus 1; 0 for none, negative if there is no room
 *              owners[row]       identity of the sender: a hash of resource, scope, metric and attributes
 *              contexts[row]     the part of it that comes from resource and scope
 *
 * Rows are found by family and label text. A sweep frees hidden rows in slices and moves the last rows to
 * their place, so that memory follows the number of series.
 */
export class SeriesTable {
  readonly arena: Arena;
  readonly #identities = new HashIndex();
  readonly #histogramLayouts = new BucketLayouts('le');
  readonly #summaryLayouts = new BucketLayouts('quantile');
  readonly #numbers = new RowNumbers();
  #live = 0;
  #repeatedBytes = 0;
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
  /** When the row was put on the page. Equal to `seenMs` if it has not been updated since. */
  shownMs = new Float64Array(FIRST_SIZE);
  owners = new Int32Array(FIRST_SIZE);
  contexts = new Int32Array(FIRST_SIZE);
  historyNumbers = new Int32Array(FIRST_SIZE);
  readonly families: Family[] = [];
  readonly layouts: (BucketLayout | undefined)[] = [];
  /** Indexed by row: who is charged for it. */
  readonly targets: (Target | undefined)[] = [];

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** The number of rows on the page. */
  get live(): number {
    return this.#live;
  }

  /** The number of rows that use memory. */
  get occupied(): number {
    return this.#numbers.count;
  }

  /** All rows are below this number. */
  get end(): number {
    return this.#numbers.end;
  }

  isLive(row: number): boolean {
    return this.seenMs[row] !== -Infinity;
  }

  isOccupied(row: number): boolean {
    return this.#numbers.isUsed(row);
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
    const row = this.#numbers.take();
    this.#fitColumns();
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

  /** Puts the row on the page, with 0 and without times. The target is charged for it. */
  show(row: number, { owner, target, context = owner }: RowSender, nowMs: number): void {
    if (this.isLive(row)) this.targets[row]?.release(this.textLength(row));
    else {
      this.#live++;
      (this.families[row] as Family).live++;
    }
    target.charge(this.textLength(row));
    this.targets[row] = target;
    this.seenMs[row] = nowMs;
    this.shownMs[row] = nowMs;
    this.historyNumbers[row] = 0;
    this.owners[row] = owner;
    this.contexts[row] = context;
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
    this.targets[row]?.release(this.textLength(row));
    this.targets[row] = undefined;
  }

  /** Frees a hidden row. Its family must not be iterated meanwhile. */
  free(row: number): void {
    this.#identities.remove(this.#hashes[row] as number, row);
    this.arena.release(this.#textAddresses[row] as number, this.#textLengths[row] as number);
    this.#releaseCells(row);
    this.#unlink(row);
    this.#numbers.release(row);
  }

  /** The next move that makes the numbers of rows dense: a row in use, and the number that it gets by `move`. */
  nextMove(): { readonly from: number; readonly to: number } | undefined {
    const move = this.#numbers.nextMove();
    if (move === undefined) this.#fitColumns();
    return move;
  }

  /** Gives a row another number. No family may be iterated meanwhile. */
  move(from: number, to: number): void {
    this.#identities.replace(this.#hashes[from] as number, from, to);
    for (const column of this.#columns()) column[to] = column[from] as number;
    const family = this.families[from] as Family;
    this.families[to] = family;
    this.layouts[to] = this.layouts[from];
    this.targets[to] = this.targets[from];
    const previous = this.#previous[to] as number;
    const next = this.next[to] as number;
    if (previous < 0) family.firstRow = to;
    else this.next[previous] = to;
    if (next < 0) family.lastRow = to;
    else this.#previous[next] = to;
    this.#numbers.release(from);
  }

  /** Moves the row's text and cells out of blocks that the arena vacates. */
  vacateBlocks(row: number): void {
    const text = this.#textAddresses[row] as number;
    if (this.arena.isVacated(text)) this.#textAddresses[row] = this.arena.move(text, this.textLength(row));
    if (this.layouts[row] === undefined) return;
    const cells = this.cellAddress(row);
    if (!this.arena.isVacated(cells)) return;
    this.#cellAddresses[row] = this.arena.move(cells, this.#cellBytes[row] as number);
  }

  /** The memory of bucket layouts, which the arena does not contain. */
  get layoutBytes(): number {
    return this.#histogramLayouts.bytes + this.#summaryLayouts.bytes;
  }

  /** How many bytes of the page repeat labels, because each bucket and each quantile is a line of its own. */
  get repeatedBytes(): number {
    return this.#repeatedBytes;
  }

  /** The bytes of the page that repeat the labels of this row if it has this many buckets or quantiles. */
  repeatedBytesOf(row: number, lines: number): number {
    return (this.textLength(row) + (this.families[row] as Family).name.length) * lines;
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

  /** The count and sum of a histogram or summary; the sum is 0 if none was sent. */
  totalOf(row: number): Total {
    const address = this.cellAddress(row);
    const { cells } = this.arena.block(address);
    const start = inBlock(address) / CELL_BYTES;
    return { count: cells[start + COUNT_CELL] as number, sum: cells[start + SUM_CELL] as number };
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
    this.#repeatedBytes += this.repeatedBytesOf(row, layout.values.length);
    this.#cellAddresses[row] = address;
    this.#cellBytes[row] = sizeBytes;
  }

  #releaseCells(row: number): void {
    const layout = this.layouts[row];
    if (layout === undefined) return;
    this.historyNumbers[row] = 0;
    this.#repeatedBytes -= this.repeatedBytesOf(row, layout.values.length);
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

  #columns(): (Int32Array | Uint32Array | Float64Array)[] {
    return [
      this.#hashes,
      this.#previous,
      this.#textAddresses,
      this.#textLengths,
      this.#cellAddresses,
      this.#cellBytes,
      this.next,
      this.values,
      this.timeHigh,
      this.timeLow,
      this.startHigh,
      this.startLow,
      this.seenMs,
      this.shownMs,
      this.owners,
      this.contexts,
      this.historyNumbers,
    ];
  }

  #fitColumns(): void {
    const length = this.#numbers.lengthFor(this.values.length);
    if (length === this.values.length) return;
    this.#hashes = resized(this.#hashes, length);
    this.#previous = resized(this.#previous, length);
    this.#textAddresses = resized(this.#textAddresses, length);
    this.#textLengths = resized(this.#textLengths, length);
    this.#cellAddresses = resized(this.#cellAddresses, length);
    this.#cellBytes = resized(this.#cellBytes, length);
    this.next = resized(this.next, length);
    this.values = resized(this.values, length);
    this.timeHigh = resized(this.timeHigh, length);
    this.timeLow = resized(this.timeLow, length);
    this.startHigh = resized(this.startHigh, length);
    this.startLow = resized(this.startLow, length);
    this.seenMs = resized(this.seenMs, length);
    this.shownMs = resized(this.shownMs, length);
    this.owners = resized(this.owners, length);
    this.contexts = resized(this.contexts, length);
    this.historyNumbers = resized(this.historyNumbers, length);
    for (const list of [this.families, this.layouts, this.targets]) list.length = Math.min(list.length, length);
  }
}

const UNKNOWN_START = { startHigh: 0, startLow: 0 };

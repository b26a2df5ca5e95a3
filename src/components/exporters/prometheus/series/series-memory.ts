import { Arena } from './arena.ts';
import { AttributeIndex } from './attribute-index.ts';
import { Exemplars } from './exemplars.ts';
import { Families, type Family } from './family.ts';
import { NativeHistograms } from './native-histograms.ts';
import { SeriesTable } from './series-table.ts';
import { Targets, type Target } from './targets.ts';
import { TimeSlice } from '../../../../engine/time-slice.ts';

/** Rows, entries or moves between two checks of the clock. */
const ROWS_A_LOOK = 500;
/** After this much silence of a sender, another sender may take over a series with the same labels. */
const HANDOVER_MS = 120_000;
/** This part of each limit is for targets that have less than what is left. */
const RESERVE = 0.1;
/** This part of it is only for those that are not new, so that invented targets do not use it up. */
const ESTABLISHED_RESERVE = 0.05;
/** If the page is full, series with a single point leave it after this time: senders that invent series do not repeat them. */
const SINGLE_MS = 30_000;
/** Siphon's own receivers may use this much more memory than senders. */
const OWN_BYTES = 1.25;
/** The memory of a row and of an entry of the attribute index, with their slots of a hash index. */
const ROW_BYTES = 130;
const ENTRY_BYTES = 70;

export interface SeriesLimits {
  readonly maxSeries: number;
  readonly maxBytes: number;
}

export interface SeriesSettings {
  readonly openMetrics: boolean;
  readonly expirationMs: number;
}

/** Everything the exporter stores about series. Memory is freed by sweeps, never while someone reads. */
export class SeriesMemory {
  readonly series: SeriesTable;
  readonly attributes: AttributeIndex;
  readonly families: Families;
  readonly targets = new Targets();
  readonly exemplars: Exemplars | undefined;
  readonly nativeHistograms = new NativeHistograms();
  readonly #arena = new Arena();
  readonly #limits: SeriesLimits;
  #readers = 0;
  #sweeping = false;

  constructor(limits: SeriesLimits, { openMetrics, expirationMs }: SeriesSettings) {
    this.#limits = limits;
    this.series = new SeriesTable(this.#arena);
    this.attributes = new AttributeIndex(this.#arena);
    this.families = new Families(openMetrics, expirationMs);
    this.exemplars = openMetrics ? new Exemplars() : undefined;
  }

  /** The reason why the target may not add another row; undefined if it may. */
  refusesRow(target: Target): 'max_series' | 'max_series_bytes' | undefined {
    const { maxSeries } = this.#limits;
    // Hidden rows wait for the sweep, and must not pile up.
    const hasRows = this.series.occupied < maxSeries * (target.origin === 'own' ? 3 : 2);
    if (!hasRows || !this.mayShowMore(target)) return 'max_series';
    return this.hasBytes(target) ? undefined : 'max_series_bytes';
  }

  /** True if the page may show another series of the target. */
  mayShowMore(target: Target): boolean {
    const { maxSeries } = this.#limits;
    const room = maxSeries - this.targets.seriesOf(target.origin);
    return isFair(target, { room, limit: maxSeries, used: target.series });
  }

  /** True if series of the target may use more memory, and so many bytes more of the page. */
  hasBytes(target: Target, onPage = 0): boolean {
    const isOwn = target.origin === 'own';
    const limit = this.#limits.maxBytes * (isOwn ? OWN_BYTES : 1);
    // The attributes are about as long as the labels.
    const used = isOwn ? 0 : target.labelBytes * 2;
    if (!isFair(target, { room: limit - this.usedBytes, limit, used })) return false;
    // The page repeats labels for each bucket, and is in memory as a whole.
    const pageRoom = limit - this.series.repeatedBytes - onPage;
    return onPage === 0 || isFair(target, { room: pageRoom, limit, used });
  }

  /** The memory of all series, hidden ones included. */
  get usedBytes(): number {
    const { series, attributes, families, nativeHistograms } = this;
    const rowBytes = series.occupied * ROW_BYTES + attributes.count * ENTRY_BYTES;
    return this.#arena.usedBytes + rowBytes + series.layoutBytes + families.bytes + nativeHistograms.bytes;
  }

  isSilent(row: number, nowMs: number): boolean {
    return (this.series.seenMs[row] as number) < nowMs - HANDOVER_MS;
  }

  /** Runs `read`, which may take several turns of the event loop. No row is freed or moved before it ends. */
  async whileReading<T>(read: () => Promise<T>): Promise<T> {
    this.#readers++;
    try {
      return await read();
    } finally {
      this.#readers--;
    }
  }

  /**
   * Hides and frees the rows without a point since then, and gives back their memory, in slices. Stops when a reader
   * starts.
   *
   * @returns false if it stopped early.
   */
  async sweep(seenSinceMs: number): Promise<boolean> {
    if (this.#sweeping) return true;
    if (this.#readers > 0) return false;
    this.#sweeping = true;
    const slice = new TimeSlice();
    try {
      for (const _ of this.#steps(seenSinceMs)) {
        await slice.pause();
        if (this.#readers > 0) return false;
      }
      this.targets.sweep(seenSinceMs);
      return true;
    } finally {
      this.#sweeping = false;
    }
  }

  /** True if only targets with few series may add more. */
  get #isFull(): boolean {
    const { maxSeries, maxBytes } = this.#limits;
    const isFullOfSeries = this.targets.seriesOf('sent') >= maxSeries * (1 - RESERVE);
    return isFullOfSeries || this.usedBytes >= maxBytes * (1 - RESERVE);
  }

  *#steps(seenSinceMs: number): Generator<void> {
    for (let from = 0; from < this.series.end; from += ROWS_A_LOOK) {
      this.#sweepRows(from, Math.min(from + ROWS_A_LOOK, this.series.end), seenSinceMs);
      yield;
    }
    while (this.#compact()) yield;
    this.#arena.vacateSparseBlocks();
    for (let from = 0; from < this.series.end; from += ROWS_A_LOOK) {
      this.#vacateBlocks(from, Math.min(from + ROWS_A_LOOK, this.series.end));
      yield;
    }
    for (let from = 0; from < this.attributes.end; from += ROWS_A_LOOK) {
      this.attributes.vacateBlocks(from, from + ROWS_A_LOOK);
      yield;
    }
  }

  #sweepRows(from: number, to: number, seenSinceMs: number): void {
    const { series } = this;
    const singlesSinceMs = this.#isFull ? performance.now() - SINGLE_MS : -Infinity;
    for (let row = from; row < to; row++) {
      const seenMs = series.seenMs[row] as number;
      const isSingle = seenMs < singlesSinceMs && seenMs === series.shownMs[row];
      if ((seenMs >= seenSinceMs && !isSingle) || !series.isOccupied(row)) continue;
      series.hide(row);
      this.attributes.removeRow(row);
      this.exemplars?.remove(row);
      this.nativeHistograms.remove(row);
      const family = series.families[row] as Family;
      series.free(row);
      if (family.firstRow < 0) this.families.release(family, seenSinceMs);
    }
  }

  /** Returns true if there are more gaps. */
  #compact(): boolean {
    let hasGaps = true;
    for (let i = 0; i < ROWS_A_LOOK && hasGaps; i++) {
      const move = this.series.nextMove();
      hasGaps = move !== undefined;
      if (move !== undefined) this.#moveRow(move.from, move.to);
    }
    return this.attributes.compact(ROWS_A_LOOK, this.series.end) || hasGaps;
  }

  #moveRow(from: number, to: number): void {
    this.series.move(from, to);
    this.attributes.moveRow(from, to);
    this.exemplars?.move(from, to);
    this.nativeHistograms.move(from, to);
  }

  #vacateBlocks(from: number, to: number): void {
    for (let row = from; row < to; row++) if (this.series.isOccupied(row)) this.series.vacateBlocks(row);
  }
}

/** True if there is room, and the last part of it is not for others. */
function isFair(
  { isEstablished }: Target,
  { room, limit, used }: { readonly room: number; readonly limit: number; readonly used: number },
): boolean {
  if (room > Math.floor(limit * RESERVE)) return true;
  return used < room && (isEstablished || room > Math.floor(limit * ESTABLISHED_RESERVE));
}

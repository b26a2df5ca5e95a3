import { Arena } from './arena.ts';
import { AttributeIndex } from './attribute-index.ts';
import { Exemplars } from './exemplars.ts';
import { Families, type Family } from './family.ts';
import { NativeHistograms } from './native-histograms.ts';
import { SeriesTable } from './series-table.ts';
import { TimeSlice } from '../../../../engine/time-slice.ts';

/** Rows between two checks of the clock. */
const ROWS_A_LOOK = 500;
/** After this much silence of a sender, another sender may take over a series with the same labels. */
const HANDOVER_MS = 120_000;

/** Everything the exporter stores about series. Memory is freed by sweeps, never while someone reads. */
export class SeriesMemory {
  readonly series: SeriesTable;
  readonly attributes: AttributeIndex;
  readonly families: Families;
  readonly exemplars: Exemplars | undefined;
  readonly nativeHistograms = new NativeHistograms();
  readonly #maxSeries: number;
  #readers = 0;
  #sweeping = false;

  constructor({ maxSeries, openMetrics }: { readonly maxSeries: number; readonly openMetrics: boolean }) {
    this.#maxSeries = maxSeries;
    const arena = new Arena();
    this.series = new SeriesTable(arena);
    this.attributes = new AttributeIndex(arena);
    this.families = new Families(openMetrics);
    this.exemplars = openMetrics ? new Exemplars() : undefined;
  }

  /** True if another row may be added. Hidden rows count too: they wait for the sweep, and must not pile up. */
  hasRoom(): boolean {
    return this.mayShowMore() && this.series.occupied < this.#maxSeries * 2;
  }

  /** True if the page may show another series. */
  mayShowMore(): boolean {
    return this.series.live < this.#maxSeries;
  }

  isSilent(row: number, nowMs: number): boolean {
    return (this.series.seenMs[row] as number) < nowMs - HANDOVER_MS;
  }

  /** Runs `read`, which may take several turns of the event loop. No row is freed before it ends. */
  async whileReading<T>(read: () => Promise<T>): Promise<T> {
    this.#readers++;
    try {
      return await read();
    } finally {
      this.#readers--;
    }
  }

  /** Hides and frees the rows without a point since then, in slices. Stops when a reader starts; the next sweep continues. */
  async sweep(seenSinceMs: number): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    const slice = new TimeSlice();
    try {
      for (let from = 0; from < this.series.end && this.#readers === 0; from += ROWS_A_LOOK) {
        this.#sweepRows(from, Math.min(from + ROWS_A_LOOK, this.series.end), seenSinceMs);
        await slice.pause();
      }
    } finally {
      this.#sweeping = false;
    }
  }

  #sweepRows(from: number, to: number, seenSinceMs: number): void {
    const { series } = this;
    for (let row = from; row < to; row++) {
      if ((series.seenMs[row] as number) >= seenSinceMs || !series.isOccupied(row)) continue;
      series.hide(row);
      this.attributes.removeRow(row);
      this.exemplars?.remove(row);
      this.nativeHistograms.remove(row);
      const family = series.families[row] as Family;
      series.free(row);
      if (family.firstRow < 0) this.families.release(family);
    }
  }
}

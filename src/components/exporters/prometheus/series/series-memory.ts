import { Arena } from './arena.ts';
import { AttributeIndex } from './attribute-index.ts';
import { Exemplars } from './exemplars.ts';
import { Families, type Family } from './family.ts';
import { NativeHistograms } from './native-histograms.ts';
import type { PageBuffer } from '../page/page-buffer.ts';
import type { PageFormat } from '../page/page-content.ts';
import { renderPage } from '../page/page.ts';
import { SeriesTable } from './series-table.ts';
import { TimeSlice } from '../../../../engine/time-slice.ts';

/** Rows that pass between looks at the clock. */
const ROWS_A_LOOK = 500;
/** A sender that was silent for so long gives its series to another with the same labels. */
const HANDOVER_MS = 120_000;

/** All that is kept of the series, and when it is given up: never while a page is read from it. */
export class SeriesMemory {
  readonly series: SeriesTable;
  readonly attributes: AttributeIndex;
  readonly families: Families;
  readonly exemplars: Exemplars | undefined;
  readonly nativeHistograms = new NativeHistograms();
  readonly #maxSeries: number;
  #renders = 0;
  #sweeping = false;

  constructor({ maxSeries, openMetrics }: { readonly maxSeries: number; readonly openMetrics: boolean }) {
    this.#maxSeries = maxSeries;
    const arena = new Arena();
    this.series = new SeriesTable(arena);
    this.attributes = new AttributeIndex(arena);
    this.families = new Families(openMetrics);
    this.exemplars = openMetrics ? new Exemplars() : undefined;
  }

  /** For a row more. Rows that are off the page wait for the sweep, and must not pile up until then either. */
  hasRoom(): boolean {
    return this.mayShowMore() && this.series.occupied < this.#maxSeries * 2;
  }

  /** Whether the page may have one more series. */
  mayShowMore(): boolean {
    return this.series.live < this.#maxSeries;
  }

  isSilent(row: number, nowMs: number): boolean {
    return (this.series.seenMs[row] as number) < nowMs - HANDOVER_MS;
  }

  async render(format: PageFormat, seenSinceMs: number, target: PageBuffer): Promise<void> {
    const { series, exemplars, nativeHistograms } = this;
    this.#renders++;
    try {
      await renderPage(
        { families: this.families.sorted(), series, exemplars, nativeHistograms, seenSinceMs },
        format,
        target,
      );
    } finally {
      this.#renders--;
    }
  }

  /** Takes what was not seen since off the page and frees it, in slices. Stops where a page is rendered; the next sweep goes on. */
  async sweep(seenSinceMs: number): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    const slice = new TimeSlice();
    try {
      for (let from = 0; from < this.series.end && this.#renders === 0; from += ROWS_A_LOOK) {
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

import type { SeriesExemplar } from '../../../../engine/metric-history.ts';
import type { TimeRange } from '../../../../promql/series-source.ts';

/** An exemplar whose time is known. */
export interface StoredExemplar extends Omit<SeriesExemplar, 'timeNs'> {
  /** Unix time in milliseconds. */
  readonly timeMs: number;
}

/** About what one takes, with its texts. */
const EXEMPLAR_BYTES = 320;

/** The latest exemplars of all series. Beyond the limit, the oldest ones are removed. */
export class ExemplarList {
  readonly #max: number;
  readonly #ofSeries = new Map<number, Kept[]>();
  readonly #inOrder = new Set<Kept>();
  /** Stays at the oldest: a new look at the set would pass all places that removed ones have left. */
  #oldest = this.#inOrder.values();

  constructor(maxBytes: number) {
    this.#max = Math.floor(maxBytes / EXEMPLAR_BYTES);
  }

  get sizeBytes(): number {
    return this.#inOrder.size * EXEMPLAR_BYTES;
  }

  /**
   * @param series the number of the series.
   * @param nowMs the time of an exemplar without one.
   */
  add(series: number, written: SeriesExemplar, nowMs: number): void {
    const list = this.#ofSeries.get(series) ?? [];
    if (list.at(-1)?.written === written) return;
    const { value, timeNs, traceId, spanId } = written;
    const timeMs = timeNs === 0n ? nowMs : Number(timeNs) / 1e6;
    const kept: Kept = { series, written, exemplar: { value, timeMs, traceId, spanId } };
    list.push(kept);
    this.#ofSeries.set(series, list);
    this.#inOrder.add(kept);
    if (this.#inOrder.size > this.#max) this.#removeOldest();
  }

  /** The exemplars of a series within the time, both ends included, in the order of their time. */
  of(series: number, { fromMs, toMs }: TimeRange): readonly StoredExemplar[] {
    return (this.#ofSeries.get(series) ?? [])
      .map(({ exemplar }) => exemplar)
      .filter(({ timeMs }) => timeMs >= fromMs && timeMs <= toMs)
      .toSorted((a, b) => a.timeMs - b.timeMs);
  }

  /** Another series may get the number. */
  remove(series: number): void {
    for (const kept of this.#ofSeries.get(series) ?? []) this.#inOrder.delete(kept);
    this.#ofSeries.delete(series);
  }

  #removeOldest(): void {
    const { value: oldest, done } = this.#oldest.next();
    if (done === true) {
      this.#oldest = this.#inOrder.values();
      return;
    }
    this.#inOrder.delete(oldest);
    const list = this.#ofSeries.get(oldest.series);
    list?.shift();
    if (list?.length === 0) this.#ofSeries.delete(oldest.series);
  }
}

interface Kept {
  readonly series: number;
  readonly written: SeriesExemplar;
  readonly exemplar: StoredExemplar;
}

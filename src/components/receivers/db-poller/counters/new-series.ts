import type { KeptState } from './kept-state.ts';
import { emptied, type TotalSeries } from './totals.ts';

type Counted = Pick<KeptState, 'totals' | 'startUnixMs'>;

/**
 * Shows a new series at 0 for one interval, and then its total. Prometheus computes an increase from two samples, so the
 * rows that a series is born with would be missing from it.
 *
 * New is a series that appears while siphon counts. Those of the first totals were there before.
 */
export class NewSeries {
  readonly #intervalMs: number;
  /** When the series appeared, by its key; undefined: long ago. */
  readonly #bornMs = new Map<string, number | undefined>();
  #startUnixMs: number | undefined;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** From now on, the series of these totals are not new. */
  know({ totals, startUnixMs }: Counted): void {
    if (startUnixMs !== this.#startUnixMs) this.#bornMs.clear();
    this.#startUnixMs = startUnixMs;
    for (const key of totals.series.keys()) this.#bornMs.set(key, undefined);
  }

  /** Like `know`, if counting started or started again. */
  begin(counted: Counted): void {
    if (counted.startUnixMs !== this.#startUnixMs) this.know(counted);
  }

  /** The series as they are published now. */
  shown(counted: Counted): ReadonlyMap<string, TotalSeries> {
    this.begin(counted);
    const nowMs = performance.now();
    return new Map(
      [...counted.totals.series].map(([key, series]) => [key, this.#isNew(key, nowMs) ? emptied(series) : series]),
    );
  }

  #isNew(key: string, nowMs: number): boolean {
    if (!this.#bornMs.has(key)) this.#bornMs.set(key, nowMs);
    const bornMs = this.#bornMs.get(key);
    if (bornMs === undefined) return false;
    if (nowMs - bornMs < this.#intervalMs) return true;
    this.#bornMs.set(key, undefined);
    return false;
  }
}

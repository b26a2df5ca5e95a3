/** Reading the recent rows takes longer than it should. */
const SLOW_MS = 100;
/** While a sweep runs, reading the recent rows may take a tenth of the time. */
const RECENT_PAUSE = 10;

/**
 * Decides when a sweep is worth its time. If many rows have a recent time, each poll reads them all. A sweep reads the
 * whole table once, after which fewer rows are recent.
 */
export class SweepPace {
  #slowMs = 0;
  #sweepMs = 0;
  #latestSweepMs = 0;
  #readAgainAt = -Infinity;

  /** True if the recent rows may be read while a sweep runs. */
  get mayReadRecent(): boolean {
    return performance.now() >= this.#readAgainAt;
  }

  /** Reports how long reading the recent rows took. True: since the latest sweep, that took longer than a sweep does. */
  isTooSlow(durationMs: number): boolean {
    this.#readAgainAt = performance.now() + durationMs * RECENT_PAUSE;
    if (durationMs < SLOW_MS) return false;
    this.#slowMs += durationMs;
    return this.#slowMs > this.#latestSweepMs;
  }

  /** Reports how long reading a range of blocks took. */
  swept(durationMs: number, isLast: boolean): void {
    this.#sweepMs += durationMs;
    if (!isLast) return;
    this.#latestSweepMs = this.#sweepMs;
    this.#sweepMs = 0;
    this.#slowMs = 0;
  }
}

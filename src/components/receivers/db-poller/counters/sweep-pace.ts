/** Reading the recent rows takes longer than it should. */
const SLOW_MS = 100;
/** While a sweep runs, reading the recent rows may take a tenth of the time. */
const RECENT_PAUSE = 10;
/** Reading them again takes a few seconds of CPU time. */
const FEW_ROWS = 100_000;

/**
 * Decides when a sweep is worth its time. If many rows have a recent time, each poll reads them all. A sweep reads the
 * whole table once, after which fewer rows are recent. If few were read since then, the bound may move without a sweep.
 */
export class SweepPace {
  readonly #hasKeys: boolean;
  #slowMs = 0;
  #sweepMs = 0;
  #latestSweepMs = 0;
  #readAgainAt = -Infinity;
  #isSlow = false;
  #rowsSinceAll = Infinity;

  /** @param hasKeys true if a row that is read again is not counted again. */
  constructor({ hasKeys }: { readonly hasKeys: boolean }) {
    this.#hasKeys = hasKeys;
  }

  /**
   * True if reading the recent rows would take long, as far as is known, and the bound may move: the rows that become
   * older ones will be read again.
   */
  get mayMoveBound(): boolean {
    return this.#isSlow && this.#rowsSinceAll <= (this.#hasKeys ? FEW_ROWS : 0);
  }

  /** Reports that so many recent rows were read. */
  readRecent(rows: number): void {
    this.#rowsSinceAll += rows;
  }

  /** Reports that the older rows were read up to the same position as the recent ones, or are left to a sweep. */
  readAll(): void {
    this.#rowsSinceAll = 0;
  }

  /** True if the recent rows may be read while a sweep runs. */
  get mayReadRecent(): boolean {
    return performance.now() >= this.#readAgainAt;
  }

  /** Reports how long reading the recent rows took. True: since the latest sweep, that took longer than a sweep does. */
  isTooSlow(durationMs: number): boolean {
    this.#readAgainAt = performance.now() + durationMs * RECENT_PAUSE;
    this.#isSlow = durationMs >= SLOW_MS;
    if (!this.#isSlow) return false;
    this.#slowMs += durationMs;
    return this.#slowMs > this.#latestSweepMs;
  }

  /** Reports a burst, whose rows are recent for so long. Reading them would take longer than the sweep that counts them. */
  burst(recentMs: number): void {
    this.#isSlow = true;
    this.#readAgainAt = performance.now() + recentMs;
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

/**
 * An amount per second. An amount that is larger than the burst is allowed while nothing of the burst is spent, and the next
 * ones wait until it is earned: otherwise a large trace would never be sampled.
 */
export class Allowance {
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #sinceMs: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
    this.#sinceMs = nowMs;
  }

  /** True if the amount may be spent now. */
  allows(amount: number, nowMs: number): boolean {
    const earned = ((nowMs - this.#sinceMs) / 1000) * this.#perSecond;
    this.#left = Math.min(this.#burst, this.#left + earned);
    this.#sinceMs = nowMs;
    return amount <= this.#left || this.#left === this.#burst;
  }

  spend(amount: number): void {
    this.#left -= amount;
  }
}

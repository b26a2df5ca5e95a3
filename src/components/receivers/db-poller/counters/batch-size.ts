import { PostgresError } from '../../../../postgres/postgres-error.ts';

export interface BatchLimits {
  /** At most so many rows are taken at once. */
  readonly maxRows: number;
  /** Of reading them. */
  readonly timeoutMs: number;
}

/** What ran into its timeout is asked for less. */
const SHRINK = 4;
const GROWTH = 2;
/** Of the timeout; one that is read within it may grow without coming near to the timeout. */
const QUICK_SHARE = 0.25;

/**
 * How many rows are taken at once: as many as can be read in time. Whoever asked for the same again after a timeout
 * would get the same timeout, for ever.
 */
export class BatchSize {
  readonly #limits: BatchLimits;
  #rows: number;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
    this.#rows = limits.maxRows;
  }

  get rows(): number {
    return this.#rows;
  }

  get timeoutMs(): number {
    return this.#limits.timeoutMs;
  }

  /** Learns from how reading a batch of this size goes. @throws whatever it throws */
  async learnFrom<T>(reading: Promise<T>): Promise<T> {
    const startedAt = performance.now();
    try {
      const result = await reading;
      if (performance.now() - startedAt < this.#limits.timeoutMs * QUICK_SHARE) this.#grow();
      return result;
    } catch (error) {
      if (error instanceof PostgresError && error.reason === 'timeout') this.#shrink();
      throw error;
    }
  }

  #grow(): void {
    this.#rows = Math.min(this.#limits.maxRows, this.#rows * GROWTH);
  }

  #shrink(): void {
    this.#rows = Math.max(1, Math.floor(this.#rows / SHRINK));
  }
}

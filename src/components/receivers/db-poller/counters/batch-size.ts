import { PostgresError } from '../../../../postgres/postgres-error.ts';

export interface BatchLimits {
  /** The largest number of rows in one batch. */
  readonly maxRows: number;
  /** The timeout for reading a batch. */
  readonly timeoutMs: number;
}

/** After a timeout, the next batch has a fourth of the rows. */
const SHRINK = 4;
const GROWTH = 2;
/** A batch that is read within this share of the timeout can grow and still stay clear of the timeout. */
const QUICK_SHARE = 0.25;

/**
 * The number of rows in one batch: as many as can be read in time. Repeating the same batch after a timeout would time
 * out forever.
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

  /** Adjusts the size to the duration of this reading. @throws what the reading throws */
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

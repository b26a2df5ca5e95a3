import { PostgresError } from '../../../../postgres/postgres-error.ts';

export interface BatchLimits {
  /** The largest number of rows in one batch. */
  readonly maxRows: number;
  /** The timeout for reading a batch. */
  readonly timeoutMs: number;
}

export interface FirstBatch {
  /** The size of the first batch; default: the largest. */
  readonly firstRows?: number;
  /** A batch that is read in less time can grow; default: a share of the timeout. */
  readonly quickMs?: number;
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
  readonly #quickMs: number;
  #rows: number;

  constructor({ firstRows, quickMs, ...limits }: BatchLimits & FirstBatch) {
    this.#limits = limits;
    this.#quickMs = quickMs ?? limits.timeoutMs * QUICK_SHARE;
    this.#rows = firstRows ?? limits.maxRows;
  }

  get rows(): number {
    return this.#rows;
  }

  /** True if a smaller batch is not possible. */
  get isSmallest(): boolean {
    return this.#rows === 1;
  }

  get timeoutMs(): number {
    return this.#limits.timeoutMs;
  }

  /**
   * Adjusts the size to the duration of this reading.
   *
   * @param mayGrow whether twice as much would still fit into memory.
   * @throws what the reading throws
   */
  async learnFrom<T>(reading: Promise<T>, mayGrow: (result: T) => boolean = () => true): Promise<T> {
    const startedAt = performance.now();
    try {
      const result = await reading;
      if (performance.now() - startedAt < this.#quickMs && mayGrow(result)) this.#grow();
      return result;
    } catch (error) {
      if (error instanceof PostgresError && error.reason === 'timeout') this.shrink();
      throw error;
    }
  }

  #grow(): void {
    this.#rows = Math.min(this.#limits.maxRows, this.#rows * GROWTH);
  }

  /** The next batch has fewer rows. */
  shrink(): void {
    this.#rows = Math.max(1, Math.floor(this.#rows / SHRINK));
  }
}

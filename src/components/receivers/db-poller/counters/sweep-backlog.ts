import { PostgresError } from '../../../../postgres/postgres-error.ts';
import type { CountedTable, Sweep } from './counted-table.ts';
import { sweepSize } from './sweep.ts';

/** The number of rows that a sweep has left. They are counted once, by ranges of blocks, before the sweep begins. */
export class SweepBacklog {
  readonly #size;
  #rows: number | undefined = 0;
  /** The blocks before this one are counted. */
  #block: number | undefined;
  #isComplete = false;

  constructor(timeoutMs: number) {
    this.#size = sweepSize(timeoutMs);
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Undefined: they could not be counted in time. */
  get rows(): number | undefined {
    return this.#rows;
  }

  /** Counts the rows of the next range. @throws PostgresError */
  async countNext(table: CountedTable, sweep: Sweep): Promise<void> {
    const block = this.#block ?? sweep.block;
    const blocks = Math.min(this.#size.rows, sweep.endBlock - block);
    try {
      const counting = table.read(
        this.#size.timeoutMs,
        async (snapshot) => await snapshot.count({ ...sweep, block }, blocks),
      );
      this.#rows! += await this.#size.learnFrom(counting);
    } catch (error) {
      if (!(error instanceof PostgresError) || error.reason !== 'timeout') throw error;
      this.#rows = undefined;
    }
    this.#block = block + blocks;
    this.#isComplete = this.#rows === undefined || this.#block >= sweep.endBlock;
  }

  swept(rows: number): void {
    if (this.#rows !== undefined) this.#rows = Math.max(0, this.#rows - rows);
  }
}

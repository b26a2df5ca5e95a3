import type { Head } from './counted-table.ts';
import type { Position } from './position.ts';

/**
 * Whether reading the whole table could find rows that no reading before has found: only if PostgreSQL's statistics
 * know of writes since. They come late, and what they know of may not be settled yet.
 */
export class UnreadRows {
  #written = '';
  /** Everything that the statistics know of was written by transactions below this one. */
  #writtenBelow = Infinity;
  #readBelow = -Infinity;

  get mayExist(): boolean {
    return this.#readBelow < this.#writtenBelow;
  }

  saw({ statistics, nextXid }: Head): void {
    const written = JSON.stringify(statistics);
    if (statistics && written === this.#written) return;
    this.#written = written ?? '';
    this.#writtenBelow = statistics ? nextXid : Infinity;
  }

  readUpTo({ xid }: Position): void {
    this.#readBelow = xid;
  }
}

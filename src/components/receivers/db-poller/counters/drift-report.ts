import type { Logger } from 'pino';

/** Says once that more was counted than inserted, and once that it no longer is so. */
export class DriftReport {
  readonly #logger: Logger;
  #negativeReadings = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param uncounted rows inserted less rows counted; undefined where they cannot be compared. */
  found(uncounted: number | undefined): void {
    const isNegative = uncounted !== undefined && uncounted < 0;
    if (!isNegative && this.#negativeReadings > 1) this.#logger.info('No more rows are counted than were inserted');
    this.#negativeReadings = isNegative ? this.#negativeReadings + 1 : 0;
    // PostgreSQL's statistics come late: one reading may be ahead of them.
    if (this.#negativeReadings === 2) {
      this.#logger.warn(
        { rows: -uncounted! },
        'More rows were counted than inserted: rows without events were updated, or statistics were reset',
      );
    }
  }
}

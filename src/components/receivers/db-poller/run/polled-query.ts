import type { Schema, TableColumns } from '../query.ts';

/** One question to the database, and what becomes of the answer. */
export interface PolledQuery {
  /** Without these columns, it is not asked. */
  readonly needs: TableColumns;

  /**
   * Asks once and publishes the answer.
   *
   * @param signal ends it soon; what it rejects with then does not matter.
   * @throws PostgresError, StorageError or PipelineRefusal
   */
  poll(schema: Schema, signal: AbortSignal): Promise<Poll>;

  /** Says of what was published that nobody knows any more whether it is true. @throws PipelineRefusal */
  retract(): Promise<void>;

  /** Takes note of what is there now, so that what is to come can be counted later, by `poll`. */
  prepare?(schema: Schema, signal: AbortSignal): Promise<void>;
}

export interface Poll {
  readonly durationMs: number;
  readonly rows: number;
  /** Whether more is known to wait, so that asking again soon helps. */
  readonly isBehind?: boolean;
}

import type { Logger } from 'pino';
import { pollRepeatedly } from '../../../postgres/polling/poll-loop.ts';
import { QueryHealth, type QueryContext } from '../../../postgres/polling/query-health.ts';
import type { QueryResult } from '../../../postgres/read-only-pool.ts';
import type { QuerySchedule } from './pool-settings.ts';
import type { ReceiverMetrics } from './receiver-metrics.ts';

/** What the queries of one receiver share. */
export interface ReadingContext extends QueryContext {
  readonly metrics: ReceiverMetrics;
  /** Whether the SQL and its parameters go to the debug log. */
  readonly logsQueries: boolean;
}

export interface Statement {
  readonly text: string;
  readonly values: readonly string[];
  readonly maxRows: number;
}

/** What becomes of a query's rows. */
export interface Reading {
  /** Asks and publishes. */
  read(ask: (statement: Statement) => Promise<QueryResult>, signal: AbortSignal): Promise<void>;
  /** After a failure: what was published is no longer known to be true. */
  retract(): Promise<void>;
}

/** Polls one query, by itself and never twice at a time. */
export class ReadingPoller {
  readonly #reading: Reading;
  readonly #schedule: QuerySchedule;
  readonly #context: ReadingContext;
  readonly #health: QueryHealth;
  readonly #logger: Logger;

  /** @param id names the query in logs and metrics. */
  constructor(id: string, reading: Reading, schedule: QuerySchedule, context: ReadingContext) {
    this.#reading = reading;
    this.#schedule = schedule;
    this.#context = context;
    this.#health = new QueryHealth(id, reading, context);
    this.#logger = context.logger.child({ query: id });
  }

  /** Polls until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await pollRepeatedly(
      async (stopping) => await this.#health.attempt(stopping, async () => await this.#poll(stopping)),
      this.#schedule.intervalMs,
      signal,
    );
  }

  async #poll(signal: AbortSignal): Promise<void> {
    let durationMs = 0;
    let rows = 0;
    await this.#reading.read(async (statement) => {
      const result = await this.#ask(statement);
      durationMs += result.durationMs;
      rows += result.rows.length;
      return result;
    }, signal);
    this.#health.succeeded(durationMs, rows);
  }

  async #ask({ text, values, maxRows }: Statement): Promise<QueryResult> {
    const { pool, logsQueries } = this.#context;
    if (logsQueries) this.#logger.debug({ sql: text, parameters: values }, 'Running query');
    const result = await pool.query({ text, values, maxRows, timeoutMs: this.#schedule.timeoutMs, parsed: 'none' });
    this.#health.databaseAnswered();
    return result;
  }
}

import type { Logger } from 'pino';
import { pollRepeatedly } from '../../../postgres/polling/poll-loop.ts';
import { QueryHealth, type QueryContext } from '../../../postgres/polling/query-health.ts';
import type { QueryResult, ReadOnlyPool } from '../../../postgres/read-only-pool.ts';
import { locatingMistakes } from '../../../postgres/sql-mistake.ts';
import type { QuerySchedule } from './pool-settings.ts';
import type { ReceiverMetrics } from './receiver-metrics.ts';

/** The parts that all queries of a receiver share. */
export interface ReadingContext extends QueryContext {
  readonly metrics: ReceiverMetrics;
  /** True if the SQL and its parameters are logged at level debug. */
  readonly logsQueries: boolean;
}

export interface Statement {
  /** The user's SQL, which is a part of `text`. */
  readonly sql: string;
  readonly text: string;
  readonly values: readonly string[];
  readonly maxRows: number;
}

/** Converts the rows of a query and publishes them. */
export interface Reading {
  /** Runs the query and publishes the result. */
  read(ask: (statement: Statement) => Promise<QueryResult>, signal: AbortSignal): Promise<void>;
  /** Marks the published values as stale, after a failure or at the end. */
  retract(): Promise<void>;
}

/** Repeats one query independently of the others, at most one poll at a time. */
export class ReadingPoller {
  readonly #reading: Reading;
  readonly #schedule: QuerySchedule;
  readonly #context: ReadingContext;
  readonly #health: QueryHealth;
  readonly #logger: Logger;

  /** @param id identifies the query in logs and metrics. */
  constructor(id: string, reading: Reading, schedule: QuerySchedule, context: ReadingContext) {
    this.#reading = reading;
    this.#schedule = schedule;
    this.#context = context;
    this.#health = new QueryHealth({ id, intervalMs: schedule.intervalMs }, reading, context);
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

  /** Call it after `run` has ended: the pipeline may live on after a reload. Never rejects. */
  async retract(): Promise<void> {
    await this.#health.retract();
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

  async #ask(statement: Statement): Promise<QueryResult> {
    const { pool, logsQueries } = this.#context;
    const { text, values } = statement;
    if (logsQueries) this.#logger.debug({ sql: text, parameters: values }, 'Running query');
    const result = await answerTo(statement, pool, this.#schedule.timeoutMs);
    this.#health.databaseAnswered();
    return result;
  }
}

/** @throws PostgresError, with the place of a mistake in the user's SQL. */
export async function answerTo(
  { sql, ...statement }: Statement,
  pool: ReadOnlyPool,
  timeoutMs: number,
): Promise<QueryResult> {
  const answer = pool.query({ ...statement, timeoutMs, parsed: 'none' });
  return await locatingMistakes(answer, { key: 'sql', sql, statement: statement.text });
}

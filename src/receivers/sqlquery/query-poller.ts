import type { Logger } from 'pino';
import type { Consumer } from '../../collector/component.ts';
import { Incident } from '../../collector/telemetry/incident.ts';
import { concernsDatabase, reasonOf } from '../../postgres/polling/poll-failure.ts';
import { pollRepeatedly } from '../../postgres/polling/poll-loop.ts';
import type { SharedIncident } from '../../postgres/polling/shared-incident.ts';
import type { QueryResult, ReadOnlyPool } from '../../postgres/read-only-pool.ts';
import type { QuerySchedule } from './pool-settings.ts';
import type { ReceiverMetrics } from './receiver-metrics.ts';

/** What the queries of one receiver share. */
export interface PollContext {
  readonly pool: ReadOnlyPool;
  readonly consumer: Consumer;
  readonly metrics: ReceiverMetrics;
  readonly logger: Logger;
  readonly databaseIncident: SharedIncident;
  /** The receiver's version, for the scope. */
  readonly version: string;
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
export class QueryPoller {
  readonly #id: string;
  readonly #reading: Reading;
  readonly #schedule: QuerySchedule;
  readonly #context: PollContext;
  readonly #logger: Logger;
  readonly #incident: Incident;

  /** @param id names the query in logs and metrics. */
  constructor(id: string, reading: Reading, schedule: QuerySchedule, context: PollContext) {
    this.#id = id;
    this.#reading = reading;
    this.#schedule = schedule;
    this.#context = context;
    this.#logger = context.logger.child({ query: id });
    this.#incident = new Incident(this.#logger, { failing: 'Query failed', recovered: 'Query succeeds again' });
    context.metrics.declare(id);
  }

  /** Polls until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await pollRepeatedly((stopping) => this.#poll(stopping), this.#schedule.intervalMs, signal);
  }

  /** Resolves to what went wrong. */
  async #poll(signal: AbortSignal): Promise<unknown> {
    let durationMs = 0;
    let rows = 0;
    try {
      await this.#reading.read(async (statement) => {
        const result = await this.#ask(statement);
        durationMs += result.durationMs;
        rows += result.rows.length;
        return result;
      }, signal);
      this.#context.metrics.succeeded(this.#id, durationMs, rows);
      this.#incident.succeeded();
      return undefined;
    } catch (error) {
      // What the end of the receiver interrupts has not failed.
      if (!signal.aborted) await this.#failed(error);
      return error;
    }
  }

  async #ask({ text, values, maxRows }: Statement): Promise<QueryResult> {
    const { pool, databaseIncident, logsQueries } = this.#context;
    if (logsQueries) this.#logger.debug({ sql: text, parameters: values }, 'Running query');
    const result = await pool.query({ text, values, maxRows, timeoutMs: this.#schedule.timeoutMs, asText: true });
    databaseIncident.succeeded(this.#id);
    return result;
  }

  async #failed(error: unknown): Promise<void> {
    const reason = reasonOf(error);
    this.#context.metrics.failed(this.#id, reason);
    if (concernsDatabase(error)) this.#context.databaseIncident.failed(this.#id, error);
    else this.#incident.failed(error);
    // Those who refused what was read are not asked to take more now.
    if (reason === 'pipeline_refused') return;
    try {
      await this.#reading.retract();
    } catch (refusal) {
      this.#context.metrics.failed(this.#id, reasonOf(refusal));
    }
  }
}

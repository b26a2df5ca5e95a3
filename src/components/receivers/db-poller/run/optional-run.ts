import type { Logger } from 'pino';
import { PostgresError } from '../../../../postgres/postgres-error.ts';
import type { Schema, TableColumns } from '../query.ts';
import type { Poll, QueryRun } from './query-run.ts';

/** The server logs each attempt as an error. */
const TRY_AGAIN_AFTER_MS = 10 * 60_000;

/**
 * A query that not every server can answer, and not to every role. Where it cannot be answered, it has no values: this is
 * reported once, and is not a failure. A provider may refuse a function that the catalogs describe as usual.
 */
export class OptionalRun implements QueryRun {
  readonly #run: QueryRun;
  readonly #logger: Logger;
  #offUntilMs: number | undefined;

  constructor(run: QueryRun, logger: Logger) {
    this.#run = run;
    this.#logger = logger;
  }

  get needs(): TableColumns {
    return this.#run.needs;
  }

  async poll(schema: Schema, signal: AbortSignal): Promise<Poll | undefined> {
    if (this.#offUntilMs !== undefined && performance.now() < this.#offUntilMs) return undefined;
    try {
      const poll = await this.#run.poll(schema, signal);
      if (this.#offUntilMs !== undefined) this.#logger.info('The server answers this query now');
      this.#offUntilMs = undefined;
      return poll;
    } catch (error) {
      if (!(error instanceof PostgresError && error.isRefusal)) throw error;
      if (this.#offUntilMs === undefined)
        this.#logger.info({ cause: error.message }, 'The server does not answer this query: it has no values');
      this.#offUntilMs = performance.now() + TRY_AGAIN_AFTER_MS;
      await this.#run.retract();
      return undefined;
    }
  }

  async retract(): Promise<void> {
    await this.#run.retract();
  }
}

import type { Logger } from 'pino';
import type { Consumer } from '../../engine/component.ts';
import { Incident } from '../../engine/incident.ts';
import type { ReadOnlyPool } from '../read-only-pool.ts';
import { concernsDatabase, reasonOf } from './poll-failure.ts';
import type { QueryMetrics } from './query-metrics.ts';
import type { SharedIncident } from './shared-incident.ts';

/** What the queries of one receiver share. */
export interface QueryContext {
  readonly pool: ReadOnlyPool;
  readonly consumer: Consumer;
  readonly metrics: QueryMetrics;
  readonly logger: Logger;
  readonly databaseIncident: SharedIncident;
  /** Of the receiver, for the scope. */
  readonly version: string;
}

/** Tells log and metrics whether one query works, and takes back what it published while it does not. */
export class QueryHealth {
  readonly #id: string;
  readonly #context: QueryContext;
  readonly #publisher: { retract(): Promise<void> };
  readonly #incident: Incident;

  /** @param id names the query in logs and metrics. */
  constructor(id: string, publisher: { retract(): Promise<void> }, context: QueryContext) {
    this.#id = id;
    this.#publisher = publisher;
    this.#context = context;
    const logger = context.logger.child({ query: id });
    this.#incident = new Incident(logger, { failing: 'Query failed', recovered: 'Query succeeds again' });
    context.metrics.declare(id);
  }

  /** Resolves to what went wrong, and never rejects. */
  async attempt(signal: AbortSignal, work: () => Promise<void>): Promise<unknown> {
    try {
      await work();
      this.databaseAnswered();
      return undefined;
    } catch (error) {
      // What the end of the receiver interrupts has not failed.
      if (!signal.aborted) await this.#failed(error);
      return error;
    }
  }

  succeeded(durationMs: number, rows: number): void {
    this.databaseAnswered();
    this.#context.metrics.succeeded(this.#id, durationMs, rows);
    this.#incident.succeeded();
  }

  databaseAnswered(): void {
    this.#context.databaseIncident.succeeded(this.#id);
  }

  /** What was published is no longer known to be true. Never rejects. */
  async retract(): Promise<void> {
    try {
      await this.#publisher.retract();
    } catch (error) {
      this.#context.metrics.failed(this.#id, reasonOf(error));
    }
  }

  async #failed(error: unknown): Promise<void> {
    const reason = reasonOf(error);
    this.#context.metrics.failed(this.#id, reason);
    if (concernsDatabase(error)) {
      this.#context.databaseIncident.failed(this.#id, error);
    } else {
      this.databaseAnswered();
      this.#incident.failed(error);
    }
    // Those who refused the points are not asked to take others now.
    if (reason !== 'pipeline_refused') await this.retract();
  }
}

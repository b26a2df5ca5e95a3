import type { Logger } from 'pino';
import type { Consumer } from '../../engine/component.ts';
import { Incident } from '../../engine/incident.ts';
import type { ReadOnlyPool } from '../read-only-pool.ts';
import { concernsDatabase, reasonOf } from './poll-failure.ts';
import type { QueryMetrics } from './query-metrics.ts';
import type { SharedIncident } from './shared-incident.ts';

/** The parts that all queries of a receiver share. */
export interface QueryContext {
  readonly pool: ReadOnlyPool;
  readonly consumer: Consumer;
  readonly metrics: QueryMetrics;
  readonly logger: Logger;
  readonly databaseIncident: SharedIncident;
  /** siphon's version, for the instrumentation scope. */
  readonly version: string;
}

/** Reports in log and metrics whether one query works, and retracts its values while it does not. */
export class QueryHealth {
  readonly #id: string;
  readonly #context: QueryContext;
  readonly #publisher: { retract(): Promise<void> };
  readonly #incident: Incident;

  /** @param query its id identifies it in logs and metrics. */
  constructor(
    { id, intervalMs }: { readonly id: string; readonly intervalMs: number },
    publisher: { retract(): Promise<void> },
    context: QueryContext,
  ) {
    this.#id = id;
    this.#publisher = publisher;
    this.#context = context;
    const logger = context.logger.child({ query: id });
    this.#incident = new Incident(logger, { failing: 'Query failed', recovered: 'Query succeeds again' });
    context.metrics.declare(id, intervalMs);
  }

  /** Resolves to the failure, if any, and never rejects. */
  async attempt(signal: AbortSignal, work: () => Promise<void>): Promise<unknown> {
    try {
      await work();
      this.databaseAnswered();
      return undefined;
    } catch (error) {
      // An interruption by shutdown is not a failure.
      if (!signal.aborted) await this.#failed(error);
      return error;
    }
  }

  succeeded(durationMs: number, rows: number): void {
    this.databaseAnswered();
    this.#context.metrics.succeeded(this.#id, durationMs, rows);
    this.#incident.succeeded();
  }

  /** The database cannot answer this query, so that nothing is late. */
  off(): void {
    this.#context.metrics.off(this.#id);
  }

  databaseAnswered(): void {
    this.#context.databaseIncident.succeeded(this.#id);
  }

  /** Marks the published values as stale. Never rejects. */
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
    // A pipeline that refused the points would refuse the retraction too.
    if (reason !== 'pipeline_refused') await this.retract();
  }
}

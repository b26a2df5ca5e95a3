import type { Logger } from 'pino';
import { databaseName } from '../datasource/database-name.ts';
import { ReadOnlyPool, type PoolSettings } from '../read-only-pool.ts';
import type { QueryMetrics } from './query-metrics.ts';
import { sleep } from './schedule.ts';
import { SharedIncident } from './shared-incident.ts';
import { unlessLate } from './unless-late.ts';

interface Reports {
  readonly metrics: QueryMetrics;
  readonly logger: Logger;
}

/** The database that a receiver polls, from its start to its shutdown. */
export class PolledDatabase {
  /** The result of `databaseName`. */
  readonly name: string | undefined;
  readonly pool: ReadOnlyPool;
  /** Its lines name the database. */
  readonly logger: Logger;
  /** Lasts as long as a query finds the database unavailable. */
  readonly incident: SharedIncident;
  readonly #metrics: QueryMetrics;
  readonly #stopping = new AbortController();
  #polling: Promise<unknown> = Promise.resolve();

  private constructor(settings: PoolSettings, { metrics, logger, name }: Reports & Pick<PolledDatabase, 'name'>) {
    this.name = name;
    this.logger = name === undefined ? logger : logger.child({ database: name });
    this.pool = new ReadOnlyPool({ ...settings, onConnect: (durationMs) => metrics.connected(durationMs) });
    this.#metrics = metrics;
    metrics.observe(this.pool);
    this.incident = new SharedIncident(this.logger, {
      failing: 'Database cannot be polled',
      recovered: 'Database can be polled again',
    });
  }

  /** Opens no connection yet. */
  static async of(settings: PoolSettings, reports: Reports): Promise<PolledDatabase> {
    return new PolledDatabase(settings, { ...reports, name: await databaseName(settings.datasource) });
  }

  /** @param poll is called after the delay, and runs until its signal aborts. */
  start(delayMs: number, poll: (stopping: AbortSignal) => Promise<unknown>): void {
    this.#polling = this.#startLater(delayMs, poll);
  }

  /** Ends with its connections. */
  async closePool(): Promise<void> {
    this.#metrics.unobserve(this.pool);
    await this.pool.close();
  }

  /** Cancels running queries, and waits for their end until the deadline. */
  async close(deadline: AbortSignal): Promise<void> {
    this.#stopping.abort();
    await unlessLate(Promise.allSettled([this.pool.close(), this.#polling]), deadline);
  }

  async #startLater(delayMs: number, poll: (stopping: AbortSignal) => Promise<unknown>): Promise<void> {
    const { signal } = this.#stopping;
    await sleep(delayMs, signal);
    if (!signal.aborted) await poll(signal);
  }
}

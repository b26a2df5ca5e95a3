import type { Logger } from 'pino';
import { ReadOnlyPool, type PoolSettings } from '../read-only-pool.ts';
import type { QueryMetrics } from './query-metrics.ts';
import { sleep } from './schedule.ts';
import { SharedIncident } from './shared-incident.ts';
import { unlessLate } from './unless-late.ts';

/** The database that a receiver polls, from its start to its shutdown. */
export class PolledDatabase {
  readonly pool: ReadOnlyPool;
  /** Lasts as long as a query finds the database unavailable. */
  readonly incident: SharedIncident;
  readonly #stopping = new AbortController();
  #polling: Promise<unknown> = Promise.resolve();

  constructor(
    settings: PoolSettings,
    { metrics, logger }: { readonly metrics: QueryMetrics; readonly logger: Logger },
  ) {
    this.pool = new ReadOnlyPool({ ...settings, onConnect: (durationMs) => metrics.connected(durationMs) });
    metrics.observe(this.pool);
    this.incident = new SharedIncident(logger, {
      failing: 'Database cannot be polled',
      recovered: 'Database can be polled again',
    });
  }

  /** @param poll is called after the delay, and runs until its signal aborts. */
  start(delayMs: number, poll: (stopping: AbortSignal) => Promise<unknown>): void {
    this.#polling = this.#startLater(delayMs, poll);
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

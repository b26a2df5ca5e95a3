import type { ComponentMetrics } from '../../engine/component.ts';
import { sidecarMetrics } from '../../metrics/self.ts';
import type { PoolUsage } from '../read-only-pool.ts';
import type { PollFailure } from './poll-failure.ts';

type Prefix = 'siphon_db_poller' | 'siphon_sqlquery';

/** The metrics that every receiver that polls a database has about its queries. */
export class QueryMetrics {
  readonly #metrics: ComponentMetrics;
  readonly #prefix: Prefix;
  readonly #duration;
  readonly #errors;
  readonly #lastSuccess;
  readonly #rows;
  readonly #connect;

  constructor(metrics: ComponentMetrics, prefix: Prefix) {
    this.#metrics = metrics;
    this.#prefix = prefix;
    this.#duration = metrics.histogram(sidecarMetrics[`${prefix}_query_duration_seconds`]);
    this.#errors = metrics.counter(sidecarMetrics[`${prefix}_errors`]);
    this.#lastSuccess = metrics.gauge(sidecarMetrics[`${prefix}_last_success_timestamp_seconds`]);
    this.#rows = metrics.gauge(sidecarMetrics[`${prefix}_rows`]);
    this.#connect = metrics.histogram(sidecarMetrics[`${prefix}_connect_duration_seconds`]);
  }

  /** Starts the counters of a query at zero. */
  declare(query: string): void {
    this.#errors.startAtZero({ query });
  }

  /** From now on, the page shows the connections of the pool. */
  observe(pool: { readonly usage: PoolUsage }): void {
    this.#metrics.observe(sidecarMetrics[`${this.#prefix}_pool_connections`], (observe) => {
      const { idle, used, waiting } = pool.usage;
      observe(idle, { state: 'idle' });
      observe(used, { state: 'used' });
      observe(waiting, { state: 'waiting' });
    });
  }

  connected(durationMs: number): void {
    this.#connect.record(durationMs / 1000);
  }

  succeeded(query: string, durationMs: number, rows: number): void {
    this.#duration.record(durationMs / 1000, { query });
    this.#rows.record(rows, { query });
    this.answered(query);
  }

  /** The database answered something that has no duration and no rows. */
  answered(query: string): void {
    this.#lastSuccess.record(Date.now() / 1000, { query });
  }

  failed(query: string, reason: PollFailure): void {
    this.#errors.add(1, { query, reason });
  }
}

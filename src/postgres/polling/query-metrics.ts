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
  readonly #queries = new Map<string, { readonly intervalMs: number; answeredMs?: number }>();
  readonly #rows;
  readonly #connect;

  constructor(metrics: ComponentMetrics, prefix: Prefix) {
    this.#metrics = metrics;
    this.#prefix = prefix;
    this.#duration = metrics.histogram(sidecarMetrics[`${prefix}_query_duration_seconds`]);
    this.#errors = metrics.counter(sidecarMetrics[`${prefix}_errors`]);
    this.#rows = metrics.gauge(sidecarMetrics[`${prefix}_rows`]);
    this.#connect = metrics.histogram(sidecarMetrics[`${prefix}_connect_duration_seconds`]);
    // Ages, because the clock of this machine may differ from that of the reader of a timestamp.
    metrics.observe(sidecarMetrics[`${prefix}_success_age_seconds`], (observe) => {
      const nowMs = performance.now();
      for (const [query, { answeredMs }] of this.#queries)
        if (answeredMs !== undefined) observe((nowMs - answeredMs) / 1000, { query });
    });
    metrics.observe(sidecarMetrics[`${prefix}_query_interval_seconds`], (observe) => {
      for (const [query, { intervalMs }] of this.#queries) observe(intervalMs / 1000, { query });
    });
  }

  /** Starts the counters of a query at zero. */
  declare(query: string, intervalMs: number): void {
    this.#errors.startAtZero({ query });
    this.#queries.set(query, { intervalMs });
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
    const known = this.#queries.get(query);
    if (known) known.answeredMs = performance.now();
  }

  /** The age of a query that has never succeeded begins with its first failure. */
  failed(query: string, reason: PollFailure): void {
    this.#errors.add(1, { query, reason });
    const known = this.#queries.get(query);
    if (known) known.answeredMs ??= performance.now();
  }

  /** The query is not asked now, so it has no age. */
  off(query: string): void {
    delete this.#queries.get(query)?.answeredMs;
  }
}

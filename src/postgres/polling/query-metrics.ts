import type { ComponentMetrics } from '../../engine/component.ts';
import { sidecarMetrics } from '../../metrics/self.ts';
import type { PoolUsage } from '../read-only-pool.ts';
import type { PollFailure } from './poll-failure.ts';

type Prefix = 'siphon_db_poller' | 'siphon_sqlquery';

/** The id of a query that several databases answer, in one of the further ones. */
export function furtherId(query: string, database: string): string {
  return `${query}@${database}`;
}

/** Databases come and go, and a counter stays: so counters and histograms add up the databases of a query. */
export function withoutDatabase(id: string): string {
  return id.split('@', 1)[0]!;
}

/** The metrics that every receiver that polls a database has about its queries. */
export class QueryMetrics {
  readonly #metrics: ComponentMetrics;
  readonly #prefix: Prefix;
  readonly #duration;
  readonly #errors;
  readonly #queries = new Map<string, { readonly intervalMs: number; answeredMs?: number }>();
  readonly #rows;
  readonly #connect;
  readonly #pools = new Set<{ readonly usage: PoolUsage }>();

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

  /** Starts the counters of a query at zero. @param id the query, or a result of `furtherId`. */
  declare(id: string, intervalMs: number): void {
    this.#errors.startAtZero({ query: withoutDatabase(id) });
    this.#queries.set(id, { intervalMs });
  }

  /** The page no longer shows the age of the query. */
  forget(id: string): void {
    this.#queries.delete(id);
  }

  /** From now on, the page shows the connections of the pool, added to those of others. */
  observe(pool: { readonly usage: PoolUsage }): void {
    this.#pools.add(pool);
    if (this.#pools.size > 1) return;
    this.#metrics.observe(sidecarMetrics[`${this.#prefix}_pool_connections`], (observe) => {
      const usages = [...this.#pools].map(({ usage }) => usage);
      for (const state of ['idle', 'used', 'waiting'] as const)
        observe(
          usages.reduce((sum, usage) => sum + usage[state], 0),
          { state },
        );
    });
  }

  unobserve(pool: { readonly usage: PoolUsage }): void {
    this.#pools.delete(pool);
  }

  connected(durationMs: number): void {
    this.#connect.record(durationMs / 1000);
  }

  succeeded(id: string, durationMs: number, rows: number): void {
    const query = withoutDatabase(id);
    this.#duration.record(durationMs / 1000, { query });
    if (query === id) this.#rows.record(rows, { query });
    this.answered(id);
  }

  /** The database answered something that has no duration and no rows. */
  answered(query: string): void {
    const known = this.#queries.get(query);
    if (known) known.answeredMs = performance.now();
  }

  /** The age of a query that has never succeeded begins with its first failure. */
  failed(id: string, reason: PollFailure): void {
    this.#errors.add(1, { query: withoutDatabase(id), reason });
    const known = this.#queries.get(id);
    if (known) known.answeredMs ??= performance.now();
  }

  /** The query is not asked now, so it has no age. */
  off(query: string): void {
    delete this.#queries.get(query)?.answeredMs;
  }
}

import type { Meter } from '@opentelemetry/api';
import type { PoolUsage } from '../read-only-pool.ts';
import { pollFailures, type PollFailure } from './poll-failure.ts';

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What every receiver that polls a database says about its queries, under names that begin with its own. */
export class QueryMetrics {
  readonly #duration;
  readonly #errors;
  readonly #lastSuccess;
  readonly #rows;
  readonly #connect;
  readonly #pool;

  /** @param prefix for example `siphon_db_poller`. */
  constructor(meter: Meter, prefix: string) {
    this.#duration = meter.createHistogram(`${prefix}_query_duration_seconds`, {
      description: 'Time from BEGIN to the last row of a query that succeeded',
      advice: { explicitBucketBoundaries: secondsBuckets },
    });
    this.#errors = meter.createCounter(`${prefix}_errors`, { description: 'Polls that gave nothing, by reason' });
    this.#lastSuccess = meter.createGauge(`${prefix}_last_success_timestamp_seconds`, {
      description: 'When the query last succeeded, in Unix time',
    });
    this.#rows = meter.createGauge(`${prefix}_rows`, { description: 'Rows of the latest successful poll' });
    this.#connect = meter.createHistogram(`${prefix}_connect_duration_seconds`, {
      description: 'Time to open a connection to the database',
      advice: { explicitBucketBoundaries: secondsBuckets },
    });
    this.#pool = meter.createObservableGauge(`${prefix}_pool_connections`, {
      description: 'Connections to the database that are idle or in use, and queries that wait for one',
    });
  }

  /** Counters are there with 0 from the start, so that a rate sees the first failure. */
  declare(query: string): void {
    for (const reason of pollFailures) this.#errors.add(0, { query, reason });
  }

  /** From now on, each page tells what the pool holds. */
  observe(pool: { readonly usage: PoolUsage }): void {
    this.#pool.addCallback((result) => {
      for (const [state, count] of Object.entries(pool.usage)) result.observe(count, { state });
    });
  }

  connected(durationMs: number): void {
    this.#connect.record(durationMs / 1000);
  }

  succeeded(query: string, durationMs: number, rows: number): void {
    this.#duration.record(durationMs / 1000, { query });
    this.#lastSuccess.record(Date.now() / 1000, { query });
    this.#rows.record(rows, { query });
  }

  failed(query: string, reason: PollFailure): void {
    this.#errors.add(1, { query, reason });
  }
}

import type { Meter } from '@opentelemetry/api';
import { pollSeconds } from '../../metrics/buckets.ts';
import type { PoolUsage } from '../read-only-pool.ts';
import { passingFailures, type PollFailure } from './poll-failure.ts';

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
      advice: { explicitBucketBoundaries: [...pollSeconds] },
    });
    this.#errors = meter.createCounter(`${prefix}_errors`, { description: 'Polls that gave nothing, by reason' });
    this.#lastSuccess = meter.createGauge(`${prefix}_last_success_timestamp_seconds`, {
      description: 'When the query last succeeded, in Unix time',
    });
    this.#rows = meter.createGauge(`${prefix}_rows`, { description: 'Rows of the latest successful poll' });
    this.#connect = meter.createHistogram(`${prefix}_connect_duration_seconds`, {
      description: 'Time to open a connection to the database',
      advice: { explicitBucketBoundaries: [...pollSeconds] },
    });
    this.#pool = meter.createObservableGauge(`${prefix}_pool_connections`, {
      description: 'Connections to the database that are idle or in use, and queries that wait for one',
    });
  }

  /**
   * Failures that pass are there with 0 from the start, so that a rate sees a single one. What lasts is counted by every
   * poll, and a rate sees the second; a series for each reason of each query would be most of the page.
   */
  declare(query: string): void {
    for (const reason of passingFailures) this.#errors.add(0, { query, reason });
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
    this.#rows.record(rows, { query });
    this.answered(query);
  }

  /** The database has answered what is neither timed nor has rows. */
  answered(query: string): void {
    this.#lastSuccess.record(Date.now() / 1000, { query });
  }

  failed(query: string, reason: PollFailure): void {
    this.#errors.add(1, { query, reason });
  }
}

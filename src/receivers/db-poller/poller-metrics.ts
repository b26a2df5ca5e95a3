import type { Meter } from '@opentelemetry/api';
import { postgresFailures, type PostgresFailure } from '../../postgres/postgres-error.ts';
import type { ReplacedReason } from './label-values.ts';

export type PollFailure = PostgresFailure | 'pipeline_refused' | 'internal';
export type DropReason = 'not_a_number' | 'unmergeable' | 'invalid_cron';

const pollFailures: readonly PollFailure[] = [...postgresFailures, 'pipeline_refused', 'internal'];
const dropReasons: readonly DropReason[] = ['not_a_number', 'unmergeable', 'invalid_cron'];
const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What the poller says about itself. `query` is `<pack>.<query>`. */
export class PollerMetrics {
  readonly #duration;
  readonly #errors;
  readonly #lastSuccess;
  readonly #rows;
  readonly #enabled;
  readonly #replaced;
  readonly #dropped;
  readonly #connect;

  constructor(meter: Meter) {
    this.#duration = meter.createHistogram('siphon_db_poller_query_duration_seconds', {
      description: 'Time from BEGIN to the last row of a query that succeeded',
      advice: { explicitBucketBoundaries: secondsBuckets },
    });
    this.#errors = meter.createCounter('siphon_db_poller_errors', {
      description: 'Polls that gave no points, by reason',
    });
    this.#lastSuccess = meter.createGauge('siphon_db_poller_last_success_timestamp_seconds', {
      description: 'When the query last succeeded, in Unix time',
    });
    this.#rows = meter.createGauge('siphon_db_poller_rows', { description: 'Rows of the latest successful poll' });
    this.#enabled = meter.createGauge('siphon_db_poller_query_enabled', {
      description: '1 if the schema has what the query needs, else 0',
    });
    this.#replaced = meter.createCounter('siphon_db_poller_replaced_label_values', {
      description: 'Label values that were published as other or unknown, by reason',
    });
    this.#dropped = meter.createCounter('siphon_db_poller_dropped_points', {
      description: 'Points that were not published because they had no true value, by reason',
    });
    this.#connect = meter.createHistogram('siphon_db_poller_connect_duration_seconds', {
      description: 'Time to open a connection to the database',
      advice: { explicitBucketBoundaries: secondsBuckets },
    });
  }

  /** Counters are there with 0 from the start, so that a rate sees the first failure. */
  declare(query: string): void {
    for (const reason of pollFailures) this.#errors.add(0, { query, reason });
    for (const reason of dropReasons) this.#dropped.add(0, { query, reason });
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

  enabled(query: string, isEnabled: boolean): void {
    this.#enabled.record(isEnabled ? 1 : 0, { query });
  }

  replaced(query: string, values: { label: string; reason: ReplacedReason; count: number }): void {
    const { label, reason, count } = values;
    this.#replaced.add(count, { query, label, reason });
  }

  dropped(query: string, reason: DropReason, count: number): void {
    this.#dropped.add(count, { query, reason });
  }
}

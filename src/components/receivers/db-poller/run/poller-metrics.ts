import type { Meter } from '@opentelemetry/api';
import { QueryMetrics } from '../../../../postgres/polling/query-metrics.ts';
import type { ReplacedReason } from '../columns.ts';
import type { MissingColumns } from './schema.ts';

/** Why counting started again at 0. Stable: metric labels. */
export const rebaselineReasons = ['identity', 'horizon', 'rewritten', 'changed', 'corrupt'] as const;
export type RebaselineReason = (typeof rebaselineReasons)[number];

export type DropReason = 'not_a_number' | 'unmergeable' | 'invalid_cron';

/** What the poller says about itself. `query` is `<pack>.<query>`. */
export class PollerMetrics extends QueryMetrics {
  readonly #enabled;
  readonly #missingColumns;
  readonly #replaced;
  readonly #dropped;
  readonly #leader;
  readonly #countingSince;
  readonly #rebaselines;
  readonly #backlog;
  readonly #uncounted;
  readonly #horizonLag;

  constructor(meter: Meter) {
    super(meter, 'siphon_db_poller');
    this.#enabled = meter.createGauge('siphon_db_poller_query_enabled', {
      description: '1 if the schema has what the query needs, else 0',
    });
    this.#missingColumns = meter.createGauge('siphon_db_poller_query_missing_columns', {
      description: 'Columns that the query would read and the schema lacks; it is off or tells less',
    });
    this.#replaced = meter.createCounter('siphon_db_poller_replaced_label_values', {
      description: 'Label values that were published as other or unknown, by reason',
    });
    this.#dropped = meter.createCounter('siphon_db_poller_dropped_points', {
      description: 'Points that were not published because they had no true value, by reason',
    });
    this.#leader = meter.createGauge('siphon_db_poller_leader', {
      description: '1 while this poller polls, 0 while it stands by',
    });
    this.#countingSince = meter.createGauge('siphon_db_poller_counting_since_timestamp_seconds', {
      description: 'When counting began, in Unix time',
    });
    this.#rebaselines = meter.createCounter('siphon_db_poller_rebaselines', {
      description: 'Times that counting began anew, by reason',
    });
    this.#backlog = new KnownGauge(meter, 'siphon_db_poller_backlog_rows', 'Settled rows that are not counted yet');
    this.#uncounted = new KnownGauge(
      meter,
      'siphon_db_poller_uncounted_inserts',
      'Rows inserted by PostgreSQL\u2019s statistics, less those counted, since counting began',
    );
    this.#horizonLag = new KnownGauge(
      meter,
      'siphon_db_poller_horizon_lag_seconds',
      'Age of the oldest transaction that counting waits for',
    );
  }

  override declare(query: string): void {
    super.declare(query);
    // Rows without labels of their own and a cadence that cannot be read are there at every poll; a number comes and goes.
    this.#dropped.add(0, { query, reason: 'not_a_number' satisfies DropReason });
  }

  /** For a query that counts rows. */
  declareCounter(query: string): void {
    for (const reason of rebaselineReasons) this.#rebaselines.add(0, { query, reason });
  }

  leads(isLeader: boolean): void {
    this.#leader.record(isLeader ? 1 : 0);
  }

  /** What the schema lacks: any of the needed ones, and the query is off. */
  lacks(query: string, { needed, optional }: MissingColumns): void {
    this.#enabled.record(needed.length === 0 ? 1 : 0, { query });
    this.#missingColumns.record(needed.length + optional.length, { query });
  }

  replaced(query: string, values: { label: string; reason: ReplacedReason; count: number }): void {
    const { label, reason, count } = values;
    this.#replaced.add(count, { query, label, reason });
  }

  dropped(query: string, reason: DropReason, count: number): void {
    if (count > 0) this.#dropped.add(count, { query, reason });
  }

  countingSince(query: string, unixMs: number): void {
    this.#countingSince.record(unixMs / 1000, { query });
  }

  rebaselined(query: string, reason: RebaselineReason): void {
    this.#rebaselines.add(1, { query, reason });
  }

  /** Undefined: not known now. */
  backlog(query: string, rows: number | undefined): void {
    this.#backlog.set(rows, { query });
  }

  uncounted(query: string, rows: number | undefined): void {
    this.#uncounted.set(rows, { query });
  }

  horizonLag(seconds: number | undefined): void {
    this.#horizonLag.set(seconds, {});
  }
}

/** A gauge that is absent while nobody knows its value. */
export class KnownGauge {
  readonly #values = new Map<string, { readonly value: number; readonly labels: Record<string, string> }>();

  constructor(meter: Meter, name: string, description: string) {
    meter.createObservableGauge(name, { description }).addCallback((result) => {
      for (const { value, labels } of this.#values.values()) result.observe(value, labels);
    });
  }

  set(value: number | undefined, labels: Record<string, string>): void {
    const key = JSON.stringify(labels);
    if (value === undefined) this.#values.delete(key);
    else this.#values.set(key, { value, labels });
  }
}

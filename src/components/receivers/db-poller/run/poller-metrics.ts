import type { ComponentMetrics } from '../../../../engine/component.ts';
import type { pollerDropReasons, rebaselineReasons } from '../../../../metrics/reasons.ts';
import { sidecarMetrics } from '../../../../metrics/self.ts';
import { QueryMetrics, withoutDatabase } from '../../../../postgres/polling/query-metrics.ts';
import type { ReplacedReason } from '../columns.ts';
import type { MissingColumns } from './schema.ts';

export type DropReason = (typeof pollerDropReasons)[number];
export type RebaselineReason = (typeof rebaselineReasons)[number];

/** The poller's metrics about itself. The label `query` is `<pack>.<query>`, or the name of a query of the user. */
export class PollerMetrics extends QueryMetrics {
  readonly #enabled;
  readonly #missingColumns;
  readonly #replaced;
  readonly #dropped;
  readonly #leader;
  readonly #countingSince;
  readonly #rebaselines;
  /** Keyed by query, while the value is known. */
  readonly #backlogs = new Map<string, number>();
  readonly #uncounted = new Map<string, number>();
  #horizonLagS: number | undefined;

  constructor(metrics: ComponentMetrics) {
    super(metrics, 'siphon_db_poller');
    this.#enabled = metrics.gauge(sidecarMetrics.siphon_db_poller_query_enabled);
    this.#missingColumns = metrics.gauge(sidecarMetrics.siphon_db_poller_query_missing_columns);
    this.#replaced = metrics.counter(sidecarMetrics.siphon_db_poller_replaced_label_values);
    this.#dropped = metrics.counter(sidecarMetrics.siphon_db_poller_dropped_points);
    this.#leader = metrics.gauge(sidecarMetrics.siphon_db_poller_leader);
    this.#countingSince = metrics.gauge(sidecarMetrics.siphon_db_poller_counting_since_timestamp_seconds);
    this.#rebaselines = metrics.counter(sidecarMetrics.siphon_db_poller_rebaselines);
    metrics.observe(sidecarMetrics.siphon_db_poller_backlog_rows, (observe) => {
      for (const [query, rows] of this.#backlogs) observe(rows, { query });
    });
    metrics.observe(sidecarMetrics.siphon_db_poller_uncounted_inserts, (observe) => {
      for (const [query, rows] of this.#uncounted) observe(rows, { query });
    });
    metrics.observe(sidecarMetrics.siphon_db_poller_horizon_lag_seconds, (observe) => {
      if (this.#horizonLagS !== undefined) observe(this.#horizonLagS);
    });
  }

  override declare(id: string, intervalMs: number): void {
    super.declare(id, intervalMs);
    this.#dropped.startAtZero({ query: withoutDatabase(id) });
  }

  /** For a query that counts rows. */
  declareCounter(query: string): void {
    this.#rebaselines.startAtZero({ query });
  }

  leads(isLeader: boolean): void {
    this.#leader.record(isLeader ? 1 : 0);
  }

  /** False: the database lacks a table, column or right that the query needs. */
  enabled(query: string, isEnabled: boolean): void {
    this.#enabled.record(isEnabled ? 1 : 0, { query });
  }

  /** Reports what the schema lacks. If a needed column is missing, the query is off. */
  lacks(query: string, { needed, optional }: MissingColumns): void {
    this.enabled(query, needed.length === 0);
    this.#missingColumns.record(needed.length + optional.length, { query });
  }

  replaced(id: string, values: { label: string; reason: ReplacedReason; count: number }): void {
    const { label, reason, count } = values;
    this.#replaced.add(count, { query: withoutDatabase(id), label, reason });
  }

  dropped(id: string, reason: DropReason, count: number): void {
    if (count > 0) this.#dropped.add(count, { query: withoutDatabase(id), reason });
  }

  countingSince(query: string, unixMs: number): void {
    this.#countingSince.record(unixMs / 1000, { query });
  }

  rebaselined(query: string, reason: RebaselineReason): void {
    this.#rebaselines.add(1, { query, reason });
  }

  /** Undefined: unknown now. */
  backlog(query: string, rows: number | undefined): void {
    setKnown(this.#backlogs, query, rows);
  }

  uncounted(query: string, rows: number | undefined): void {
    setKnown(this.#uncounted, query, rows);
  }

  horizonLag(seconds: number | undefined): void {
    this.#horizonLagS = seconds;
  }
}

function setKnown(values: Map<string, number>, query: string, value: number | undefined): void {
  if (value === undefined) values.delete(query);
  else values.set(query, value);
}

/**
 * `siphon-otel/pack`: the contract of a pack, which is everything about one thing as one typed value. Only the metrics are
 * required. Parts that are expensive to load may be functions, so that a process loads only the parts that it uses.
 */
import type { PackQueries } from '../components/receivers/db-poller/query.ts';
import type { Dashboard } from '../dashboards/model/panel.ts';
import type { Alert } from '../dashboards/rules/alert.ts';
import type { Threshold } from '../dashboards/threshold.ts';
import type { Metric } from '../metrics/metric.ts';

export {
  boundByColumn,
  metricColumns,
  packQueries,
  positiveDuration,
  positiveInteger,
  type Bound,
  type CounterQuery,
  type GaugeQuery,
  type PackQueries,
  type QuerySet,
  type Schema,
  type Statement,
  type TableIndex,
} from '../components/receivers/db-poller/query.ts';
export type { Threshold } from '../dashboards/threshold.ts';
export type { Metric } from '../metrics/metric.ts';

/** The keys are Prometheus names. */
export type PackMetrics = Readonly<Record<string, Metric>>;

export type PackThresholds = Readonly<Record<string, Threshold>>;

/** A value, or a function that loads it. */
export type Lazy<T> = T | (() => Promise<T>);

export interface Pack<Metrics extends PackMetrics = PackMetrics, Thresholds extends PackThresholds = PackThresholds> {
  /** In snake case; the configuration of a `db_poller` uses it as a key. */
  readonly name: string;
  /** One sentence. */
  readonly description: string;
  readonly metrics: Metrics;
  /** Metrics that no panel shows, and why. */
  readonly detailMetrics?: Readonly<Partial<Record<keyof Metrics & string, string>>>;
  /** The operations of the service. The keys are the values of the label `operation`. */
  readonly operations?: Readonly<Record<string, Operation>>;
  readonly thresholds?: Thresholds;
  /** The queries that a `db_poller` runs. */
  readonly database?: PackQueries;
  /** The cost of a poll for the database, by metric. */
  readonly costs?: Readonly<Partial<Record<keyof Metrics & string, QueryCost>>>;
  readonly dashboards?: Lazy<readonly Dashboard[]>;
  readonly alerts?: Lazy<readonly Alert[]>;
  readonly runbooks?: Runbooks;
}

/**
 * `incremental`: only rows that are new since the last poll, in bounded batches. `lookup`: the latest rows, by an index.
 * `small_table`: a table that stays small. `statistics`: the server's statistics. `sizes`: sizes in the file system.
 */
export type QueryCost = 'incremental' | 'lookup' | 'small_table' | 'statistics' | 'sizes';

export interface Operation {
  /** The span of an operation is named `<key> <name>`. */
  readonly name: string;
  readonly description: string;
}

/** One file for each alert, `<alert>.md`. */
export interface Runbooks {
  readonly folder: URL;
  /** The address of the folder that alerts link to. */
  readonly address: string;
}

/** Checks the types of a pack and returns it unchanged. */
export function definePack<const Metrics extends PackMetrics, const Thresholds extends PackThresholds>(
  pack: Pack<Metrics, Thresholds>,
): Pack<Metrics, Thresholds> {
  return pack;
}

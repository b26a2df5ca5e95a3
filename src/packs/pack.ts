/**
 * The contract of a pack: everything about one thing, as one typed value. Only the metrics are required. Parts that are
 * expensive to load may be functions, so that a process loads only the parts that it uses.
 */
import type { Dashboard } from '../dashboards/model/dashboard.ts';
import type { Alert } from '../dashboards/rules/alert.ts';
import type { Threshold } from '../dashboards/threshold.ts';
import type { Metric } from '../metrics/metric.ts';

/** By Prometheus name. */
export type PackMetrics = Readonly<Record<string, Metric>>;

export type PackThresholds = Readonly<Record<string, Threshold>>;

/** A value, or a function that loads it. */
export type Lazy<T> = T | (() => Promise<T>);

export interface Pack<
  Metrics extends PackMetrics = PackMetrics,
  Thresholds extends PackThresholds = PackThresholds,
  Database = unknown,
> {
  /** In snake case; the configuration of a `db_poller` uses it as a key. */
  readonly name: string;
  /** One sentence. */
  readonly description: string;
  readonly metrics: Metrics;
  /** Metrics that no panel shows, and why. */
  readonly detailMetrics?: Readonly<Partial<Record<keyof Metrics & string, string>>>;
  /** What the service does, by the value of the label `operation`. */
  readonly operations?: Readonly<Record<string, Operation>>;
  readonly thresholds?: Thresholds;
  /** What a `db_poller` asks of the database. */
  readonly database?: Lazy<Database>;
  readonly dashboards?: Lazy<readonly Dashboard[]>;
  readonly alerts?: Lazy<readonly Alert[]>;
  readonly runbooks?: Runbooks;
}

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
export function definePack<const Metrics extends PackMetrics, const Thresholds extends PackThresholds, Database>(
  pack: Pack<Metrics, Thresholds, Database>,
): Pack<Metrics, Thresholds, Database> {
  return pack;
}

export async function load<T>(part: Lazy<T>): Promise<T> {
  return typeof part === 'function' ? await (part as () => Promise<T>)() : part;
}

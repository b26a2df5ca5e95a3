import type { CounterMetric, GaugeMetric, Labels } from '../../../metrics/metric.ts';
import type {
  GaugeQuery,
  Merge,
  Pace,
  Row,
  Remark,
  Schema,
  Statement,
  TableColumns,
} from '../../../components/receivers/db-poller/query.ts';

/** The settings of the pack, as far as queries depend on them. */
export interface Settings {
  /** Tables that have series in any case, as `schema.table`. */
  readonly tables: readonly string[];
  /** The number of tables that have series because they are the largest, and because they have most dead rows. */
  readonly topTables: number;
  /** The number of statements that have series. */
  readonly statements: number;
}

export type PolledMetrics = Readonly<Record<string, GaugeMetric | CounterMetric>>;

/** Metrics, and the query whose columns have their names. */
export interface Group<Metrics extends PolledMetrics = PolledMetrics> {
  readonly metrics: Metrics;
  readonly cost: Cost;
  query(settings: Settings): GaugeQuery;
}

/** See `QueryCost` of the pack. */
type Cost = 'statistics' | 'sizes';

interface Definition<Metrics extends PolledMetrics> {
  readonly metrics: Metrics;
  /** How points with the same labels are merged, where that can happen; default `drop`. */
  readonly merge?: Readonly<Partial<Record<keyof Metrics, Merge>>>;
  readonly cost: Cost;
  readonly pace?: Pace;
  /** True if the values are those of the connected database, and not of the whole server. */
  readonly isPerDatabase?: boolean;
  /** The group has no values on a server that lacks one of these, or where the role may not read it. */
  readonly needs?: TableColumns;
  /** Some versions lack these: the statement asks `schema.has`. */
  readonly uses?: TableColumns;
  readonly remedy?: string;
  /** The first version of PostgreSQL that has what the group needs; default: each version that siphon supports. */
  readonly sinceVersion?: number;
  /** True if it reads the sequences of the database. */
  readonly readsSequences?: boolean;
  readonly since?: string;
  readonly statement: (schema: Schema, settings: Settings) => Statement;
  readonly derive?: (
    rows: readonly Row[],
    notice: (remark: Remark, subject: string) => void,
    settings: Settings,
  ) => readonly Row[];
}

/** Declares a group. It is complete with a line in `index.ts`. */
export function group<const Metrics extends PolledMetrics>(definition: Definition<Metrics>): Group<Metrics> {
  const { metrics, merge = {}, cost, needs = {}, statement, derive, ...rest } = definition;
  const columns = Object.fromEntries(
    Object.entries(metrics).map(([column, metric]) => [column, { metric, merge: mergeOf(merge, column) }]),
  );
  return {
    metrics,
    cost,
    query: (settings) => ({
      ...rest,
      needs,
      metrics: columns,
      statement: (schema) => statement(schema, settings),
      ...(derive && { derive: (rows, notice) => derive(rows, notice, settings) }),
    }),
  };
}

function mergeOf(merge: Readonly<Record<string, Merge | undefined>>, column: string): Merge {
  return merge[column] ?? 'drop';
}

export interface Described<Of extends Labels> {
  readonly source: 'poller';
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly labels: Of;
}

const none = {} as const;
type NoLabels = typeof none;

/** @param name the OpenTelemetry name; the key of the metric is its Prometheus name. */
export function gauge<const Of extends Labels = NoLabels>(
  name: string,
  unit: string,
  description: string,
  labels: Of = none as Of,
): Described<Of> & { readonly kind: 'gauge' } {
  return { source: 'poller', kind: 'gauge', name, unit, description, labels };
}

/** A counter of the server, since its statistics were reset. */
export function counter<const Of extends Labels = NoLabels>(
  name: string,
  unit: string,
  description: string,
  labels: Of = none as Of,
): Described<Of> & { readonly kind: 'counter' } {
  return { source: 'poller', kind: 'counter', name, unit, description, labels };
}

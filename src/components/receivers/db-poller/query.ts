/** The contract between `db_poller` and the packs: the queries that a pack runs against the database. */
import type * as v from 'valibot';
import { suggest } from '../../../engine/config/nearest-name.ts';
import type { CounterMetric, GaugeMetric, HistogramMetric, Metric } from '../../../metrics/metric.ts';

/** For the settings of a pack. */
export { positiveDuration, positiveInteger } from '../../../engine/schema/fields.ts';
/** SQL for queries on PostgreSQL's own catalogs. */
export { SERVER_SESSIONS } from '../../../postgres/server-sessions.ts';
export { NAMED_TABLES, namedTablesValues } from '../../../postgres/named-tables.ts';

/** A row of a result, by column. Defined here so that the types of `siphon-otel/pack` do not need `pg`. */
export type Row = Readonly<Record<string, unknown>>;

/** The part of a pack that `db_poller` uses. */
export interface DatabasePack {
  /** Names it in the configuration, in logs and in metric labels. */
  readonly name: string;
  /** All metrics of the pack, by their Prometheus names. */
  readonly metrics: Readonly<Record<string, Metric>>;
  /** Undefined: the pack does not use the database. */
  readonly database?: PackQueries;
}

/** The queries of a pack. Write them with `packQueries`, which checks their types. */
export interface PackQueries {
  /** The settings of the pack in the configuration, besides `queries`. Undefined: it has none. */
  readonly settings?: v.StrictObjectSchema<v.ObjectEntries, undefined>;
  readonly names: QueryNames;
  /** Creates the queries for these settings. It may import the SQL, so that only a process that polls loads it. */
  create(settings: unknown): QuerySet | Promise<QuerySet>;
}

/** The names of all queries of a pack. The configuration is checked against them before `create` loads any SQL. */
export interface QueryNames<Gauge extends string = string, Counter extends string = string> {
  readonly gauges: readonly Gauge[];
  readonly counters: readonly Counter[];
}

/** The queries that one configuration of a pack asks for, by name. A name is a metric label and a key of the configuration. */
export interface QuerySet<Gauge extends string = string, Counter extends string = string> {
  /**
   * The database schema with the tables; a pack that has one accepts it as its setting `schema`. Undefined: the queries
   * read only PostgreSQL's own catalogs, and those of its extensions. Not every server has them all, and not every role
   * may read them: a query that cannot be answered there has no values, which is reported once and is not a failure.
   */
  readonly schema?: string;
  readonly gauges: Readonly<Record<Gauge, GaugeQuery>>;
  readonly counters: Readonly<Record<Counter, CounterQuery>>;
  /** The indexes that keep the queries cheap on large tables. */
  readonly indexes?: readonly TableIndex[];
}

type NoSettings = Readonly<Record<string, never>>;

/** Checks that `create` accepts what `settings` returns, and that it creates exactly the named queries. */
export function packQueries<
  Gauge extends string,
  Counter extends string,
  Entries extends v.ObjectEntries = NoSettings,
>(queries: {
  readonly settings?: v.StrictObjectSchema<Entries, undefined>;
  readonly names: QueryNames<Gauge, Counter>;
  create(
    settings: v.InferOutput<v.StrictObjectSchema<Entries, undefined>>,
  ): QuerySet<NoInfer<Gauge>, NoInfer<Counter>> | Promise<QuerySet<NoInfer<Gauge>, NoInfer<Counter>>>;
}): PackQueries {
  return queries;
}

/**
 * One statement whose rows are published as they are: the columns of a row are metrics and their labels. A label is the
 * column of the same name. A NULL metric is not a point.
 */
export interface GaugeQuery {
  /** The query is off while one of these columns is missing. */
  readonly needs: TableColumns;
  /** The query uses these columns where they exist. */
  readonly uses?: TableColumns;
  /** For a query of the server's own catalogs: a sentence or statement that makes it possible. */
  readonly remedy?: string;
  /** For a query of the server's own catalogs: the first version of PostgreSQL that has them. */
  readonly sinceVersion?: number;
  /** For a query of the server's own catalogs: true if it reads the sequences of the database. */
  readonly readsSequences?: boolean;
  /** True if the answer is about the connected database. `databases` of the receiver asks it in each of them. */
  readonly isPerDatabase?: boolean;
  /** Keyed by the name of the column with the value. */
  readonly metrics: Readonly<Record<string, ColumnMetric>>;
  /** For counters: the column with the time since which PostgreSQL counts, in Unix milliseconds. NULL: unknown. */
  readonly since?: string;
  /** Undefined: each interval of the receiver. The configuration may set another interval. */
  readonly pace?: Pace;
  statement(schema: Schema): Statement;
  /** An answer without these columns is an error. For SQL that the user writes. */
  readonly columns?: readonly string[];
  /** The SQL that the user wrote, so that an error can name the place of a mistake in it. */
  readonly sql?: string;
  /** Computes in TypeScript what SQL cannot, and reports subjects with a problem. */
  derive?(rows: readonly Row[], notice: (remark: Remark, subject: string) => void): readonly Row[];
}

/**
 * `slow`, every fourth interval: the rows change slowly or are expensive. `rare`, every sixteenth interval, but at least
 * every four minutes: the query reads the whole catalog or many files.
 */
export type Pace = 'slow' | 'rare';

/** The metric that one column of a row is a value of. */
export interface ColumnMetric {
  readonly metric: GaugeMetric | CounterMetric;
  readonly merge: Merge;
}

/**
 * How points are merged that end up with the same labels, because a value was not in a label's closed set or exceeded
 * its budget: counts are added, the largest age wins, and points that cannot be merged are dropped.
 */
export type Merge = 'sum' | 'max' | 'drop';

/** `invalid_cron`: a cron text that cannot be parsed. `missing_table`: a listed table that does not exist. */
export type Remark = 'invalid_cron' | 'missing_table';

/**
 * Metrics whose columns have the Prometheus names of the metrics.
 *
 * @throws TypeError if a name is not one of a gauge or counter.
 */
export function metricColumns<Metrics extends Readonly<Record<string, Metric>>>(
  metrics: Metrics,
  merges: Readonly<Partial<Record<PolledName<Metrics>, Merge>>>,
): Readonly<Record<string, ColumnMetric>> {
  return Object.fromEntries(
    Object.entries<Merge | undefined>(merges).flatMap(([column, merge]) => {
      const metric = metrics[column];
      // Types are removed from a module, not checked, when siphon loads it.
      if (metric === undefined)
        throw new TypeError(`metricColumns: ${column} is not a metric${suggest(column, Object.keys(metrics))}`);
      if (metric.kind === 'histogram') throw new TypeError(`metricColumns: ${column} is a histogram`);
      return merge === undefined ? [] : [[column, { metric, merge }]];
    }),
  );
}

/** The poller's metrics with one value per poll, which excludes histograms. */
type PolledName<Metrics extends Readonly<Record<string, Metric>>> = {
  [Name in keyof Metrics]: Metrics[Name] extends { source: 'poller'; kind: 'gauge' | 'counter' } ? Name : never;
}[keyof Metrics];

/** Counts the rows of one table, each of them once. SQL in it refers to the row of the table as `entry`. */
export interface CounterQuery {
  /** The query is off while one of these columns is missing. */
  readonly needs: TableColumns;
  /** The query uses these columns where they exist. */
  readonly uses?: TableColumns;
  readonly table: string;
  /** The columns that identify a row. */
  readonly key: readonly string[];
  /** The columns of `entry` that `details` reads. */
  readonly columns: readonly string[];
  /** See `GaugeQuery.pace`. */
  readonly pace?: Pace;
  /** The largest number of rows that one poll counts. */
  readonly batchRows: number;
  /** Without a bound, each poll reads the whole table. */
  readonly bound?: Bound;
  /**
   * For tables whose rows are updated: SQL conditions by name, over the columns of the table alone. Each of them counts
   * once for a key, when it first holds. At most eight. Without events, each version of a row counts: a row that is
   * only inserted counts once.
   */
  readonly events?: Readonly<Record<string, string>>;
  /** The event that holds for every row, if one does: then counted rows can be compared with inserted rows. */
  readonly everyRow?: string;
  /** For a query without events: an SQL condition over the columns of the table. Other rows are not counted. */
  readonly filter?: string;
  details(schema: Schema): RowDetails;
  readonly metrics: readonly CountedMetric[];
  /**
   * Rows with the labels of series that exist before a row is counted, and start at 0. If a row omits a closed label,
   * each value of the label gets a series.
   */
  known?(schema: Schema): Statement;
  /**
   * Labels that all metrics `fromZero` have: as soon as a row with certain values of them is counted, series with these
   * values exist for each value of the other labels, which must be closed.
   */
  readonly knownBy?: readonly string[];
  /**
   * Rows with the labels of rows that exist when counting starts, the most important first. Their series start at 0. It
   * is read once, and counting starts without it if it fails or takes too long.
   */
  existing?(schema: Schema): Statement;
  /** Two versions of a query count the same rows if this is equal. If it changes, counting starts again at 0. */
  readonly meaning: string;
}

export interface CountedMetric {
  readonly metric: CounterMetric | HistogramMetric;
  /** The event that it counts. Undefined: each row. */
  readonly event?: string;
  /** The column with the values, for a histogram, or for a counter that adds them. NULL is not a value. */
  readonly value?: string;
  /** True if the series of the `known` rows, and of those known by their labels, start at 0. */
  readonly fromZero?: boolean;
}

/** The columns and joins of a counted row. Each join must match at most one row, and keep `entry` if it matches none. */
export interface RowDetails {
  /** The select list: columns with the names of the metrics' labels and values. */
  readonly select: string;
  /** The joins, or empty text. */
  readonly joins: string;
  /**
   * An SQL condition: row level security hides a row from which the labels are read. Then the query fails, and the counted
   * rows wait, instead of being counted with the label `unknown` for ever.
   */
  readonly hidden?: string;
}

/**
 * Two SQL conditions that divide a table permanently: each row satisfies exactly one of them at any time, as long as the
 * bound stays the same.
 */
export interface Bound {
  /** How much the time of a recent row may precede its insertion into the database. */
  readonly marginMs: number;
  /** @param bound SQL of a `timestamptz`. */
  recent(schema: Schema, bound: string): string;
  older(schema: Schema, bound: string): string;
}

/** Divides a table by one of its own columns. */
export function boundByColumn(column: string, marginMs: number): Bound {
  return {
    marginMs,
    recent: (_, bound) => `entry.${column} >= ${bound}`,
    older: (_, bound) => `(entry.${column} >= ${bound}) is not true`,
  };
}

export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
}

/**
 * Column names by table name. Among the server's own catalogs, a function such as `pg_ls_waldir()` has the column
 * `execute`.
 */
export type TableColumns = Readonly<Record<string, readonly string[]>>;

/** The database schema of a pack, as far as the poller's role may read it. */
export interface Schema {
  /** The quoted SQL name of a table, including the schema. */
  readonly table: (name: string) => string;
  readonly has: (table: string, column: string) => boolean;
  /** True if an index over the whole table begins with these columns. */
  readonly hasIndex: (table: string, columns: readonly string[]) => boolean;
}

export interface TableIndex {
  /** The name that `create index` suggests. */
  readonly name: string;
  readonly table: string;
  /** The first columns of the index. */
  readonly columns: readonly string[];
  /** The part of `create index` after the name of the table. */
  readonly definition: string;
  /** For a partial index: its condition, and the column that the condition reads. */
  readonly over?: { readonly where: string; readonly column: string };
  /** The queries that read the whole table without the index. */
  readonly queries: readonly string[];
}

/** The settings that the configuration may override for one query. */
export interface QueryOverride {
  readonly collection_interval?: number | undefined;
  readonly timeout?: number | undefined;
}

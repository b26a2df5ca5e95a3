import type { catalogue, MetricName } from '../../../packs/catalogue.ts';
import type { ExactQuery } from './exact-query.ts';
import type { Row } from '../../../postgres/read-only-pool.ts';

/** Of the metrics that are a number at the time of the poll; histograms are not. */
type PollerMetricName = {
  [Name in MetricName]: (typeof catalogue)[Name] extends { source: 'poller'; kind: 'gauge' | 'counter' } ? Name : never;
}[MetricName];

/**
 * What becomes of points that end up with the same labels, because a value was outside of a label's closed set
 * or beyond its budget: counts add up, of ages the largest counts, and what cannot be merged is dropped.
 */
export type Merge = 'sum' | 'max' | 'drop';

/**
 * One statement and the metrics that it yields. Columns of its rows are named as the metrics and as their
 * labels are named in the catalogue; a NULL metric is no point.
 */
export interface PollQuery {
  /** Without these, the query is off. */
  readonly needs: TableColumns;
  /** Made use of where they are there. */
  readonly uses?: TableColumns;
  readonly metrics: Partial<Readonly<Record<PollerMetricName, Merge>>>;
  /** The column that tells, in Unix milliseconds, since when PostgreSQL counts; NULL: nobody knows. For counters. */
  readonly since?: string;
  /** What it asks about changes slowly, or costs much: its interval is four times the receiver's, unless its own is set. */
  readonly isSlow?: boolean;
  statement(schema: PackSchema): Statement;
  /** Columns without which the answer is an error; for SQL that is not ours. */
  readonly columns?: readonly string[];
  /** Computes in TypeScript what SQL cannot, and notices what is wrong with whom. */
  derive?(rows: readonly Row[], notice: (remark: Remark, subject: string) => void): readonly Row[];
}

/** `invalid_cron`: a cron text without meaning. `missing_table`: a table that is listed and not there. */
export type Remark = 'invalid_cron' | 'missing_table';

/** A `PollQuery` whose metrics are described elsewhere than in the catalogue, by the names of their columns. */
export type StatePoll = Omit<PollQuery, 'metrics'> & { readonly metrics: Readonly<Partial<Record<string, Merge>>> };

export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** Column names by table name. */
export type TableColumns = Readonly<Record<string, readonly string[]>>;

export interface PackSchema {
  /** The table's name as SQL needs it, schema included. */
  readonly table: (name: string) => string;
  readonly has: (table: string, column: string) => boolean;
  /** Whether an index over the whole table begins with these columns. */
  readonly hasIndex: (table: string, columns: readonly string[]) => boolean;
}

/** Queries that share a schema and settings. */
export interface Pack {
  readonly name: string;
  /** Undefined: its queries read PostgreSQL's own catalogues, which need no probe. */
  readonly schema: string | undefined;
  /** By name, which is a metric label and a key of the configuration. */
  readonly queries: Readonly<Record<string, PollQuery>>;
  /** Those that count rows, by name too. */
  readonly exactQueries?: Readonly<Record<string, ExactQuery>>;
  readonly overrides: Readonly<Record<string, QueryOverride>>;
  /** What keeps its queries cheap on large tables. */
  readonly indexes?: readonly PackIndex[];
}

export interface PackIndex {
  /** What it is to be called where it has to be made. */
  readonly name: string;
  readonly table: string;
  /** Those that it begins with. */
  readonly columns: readonly string[];
  /** What stands behind the name of the table in `create index`. */
  readonly definition: string;
  /** Which rows it is over, and the column that tells; undefined: all. */
  readonly over?: { readonly where: string; readonly column: string };
  /** Those that read the whole table without it. */
  readonly queries: readonly string[];
}

/** What the configuration may set for one query. */
export interface QueryOverride {
  readonly collection_interval?: number | undefined;
  readonly timeout?: number | undefined;
}

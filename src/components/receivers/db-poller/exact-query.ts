import type { CounterMetric, HistogramMetric } from '../../../metrics/metric.ts';
import type { PackSchema, Statement, TableColumns } from './query.ts';

/**
 * Counts the rows of one table, each of them once. SQL in it calls the row of the table `entry`.
 */
export interface ExactQuery {
  /** Without these, the query is off. */
  readonly needs: TableColumns;
  /** Made use of where they are there. */
  readonly uses?: TableColumns;
  readonly table: string;
  /** The columns that tell its rows apart. */
  readonly key: readonly string[];
  /** Columns of `entry` that `details` looks at. */
  readonly columns: readonly string[];
  /** See `PollQuery.isSlow`. */
  readonly isSlow?: boolean;
  /** At most so many rows are counted in one poll. */
  readonly batchRows: number;
  /** Without one, the whole table is read at each poll. */
  readonly bound?: Bound;
  /**
   * For tables whose rows are updated: SQL conditions by name, over the columns of the table alone. Each of them
   * counts once for a key, when it first holds. At most eight. Without events, each version of a row counts: rows
   * that are only ever inserted count once.
   */
  readonly events?: Readonly<Record<string, string>>;
  /** The event that holds for every row, if one does: then the rows counted can be compared with the rows inserted. */
  readonly everyRow?: string;
  details(schema: PackSchema): RowDetails;
  readonly metrics: readonly ExactMetric[];
  /** Rows of labels whose series are known to be there, and begin at 0; a closed label that a row leaves out has all its values. */
  known?(schema: PackSchema): Statement;
  /** Two queries of the same name count the same if this is the same; if it changes, counting begins anew. */
  readonly meaning: string;
}

export interface ExactMetric {
  readonly metric: CounterMetric | HistogramMetric;
  /** Which of the query's events it counts. Undefined: each row. */
  readonly event?: string;
  /** The column whose values a histogram is made of. NULL is no value. */
  readonly value?: string;
  /** Whether its series of the known rows begin at 0. */
  readonly fromZero?: boolean;
}

/** What a counted row is joined with. Each join must find one row or none, and keep `entry` where it finds none. */
export interface RowDetails {
  /** The select list: columns named as the labels of the metrics, and as their values. */
  readonly select: string;
  /** Joins, if any. */
  readonly joins: string;
}

/**
 * Two SQL conditions that split a table for good: each row satisfies exactly one of them, whenever it is asked, as
 * long as the bound stays the same.
 */
export interface Bound {
  /** How much older than its entry into the database the time of a recent row may be. */
  readonly marginMs: number;
  /** @param bound SQL of a `timestamptz`. */
  recent(schema: PackSchema, bound: string): string;
  older(schema: PackSchema, bound: string): string;
}

/** Splits by a column of the table itself. */
export function boundByColumn(column: string, marginMs: number): Bound {
  return {
    marginMs,
    recent: (_, bound) => `entry.${column} >= ${bound}`,
    older: (_, bound) => `(entry.${column} >= ${bound}) is not true`,
  };
}

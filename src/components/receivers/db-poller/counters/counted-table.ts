import type { Row } from '../../../../postgres/read-only-pool.ts';

/** The table that a query counts. */
export interface CountedTable {
  /**
   * Runs `work` on one snapshot of the table.
   *
   * @param timeoutMs the timeout for the whole work.
   * @throws PostgresError, and what `work` throws.
   */
  read<T>(timeoutMs: number, work: (snapshot: TableSnapshot) => Promise<T>): Promise<T>;
}

export interface TableSnapshot {
  readonly head: Head;
  rows(request: RowsRequest): Promise<SettledRows>;
  /** All rows for which an event holds, in chunks. */
  everyRow(): AsyncIterable<readonly KeyedRow[]>;
  /** The labels of the series that exist before a row is counted. */
  known(): Promise<readonly Row[]>;
  /** True if the table was rewritten, so that its rows carry the number of the rewriting transaction. */
  isRewritten(since: Position): Promise<boolean>;
  /** True if ended transactions would stay ended if the server crashed now. Always true with `waits`. */
  endedForGood(patience: 'waits' | 'does not wait'): Promise<boolean>;
}

/** The transaction numbers, time and statistics of a snapshot. */
export interface Head {
  readonly identity: TableIdentity;
  /** All transactions below this number have ended. */
  readonly settledXid: number;
  /** No transaction has this number or a higher one yet. */
  readonly nextXid: number;
  /** The time of the snapshot by the database's clock. */
  readonly nowUnixMs: number;
  /** Undefined if PostgreSQL keeps no statistics of the table. */
  readonly statistics: TableStatistics | undefined;
}

export interface TableStatistics {
  /** All rows ever inserted, including those of transactions that were rolled back. */
  readonly inserted: number;
  readonly updated: number;
}

/** Positions and keys stay valid as long as the identity of the table does not change. */
export interface TableIdentity {
  /** System identifier, timeline, and the OIDs of database and table. */
  readonly history: string;
  /** The file of the table. VACUUM FULL, TRUNCATE and some kinds of ALTER TABLE replace it. */
  readonly file: string;
}

/** `recent` and `older` are the two sides of the bound; `all` is the whole table. */
export type Lane = 'recent' | 'older' | 'all';

export interface RowsRequest {
  readonly lane: Lane;
  readonly boundUnixMs: number;
  readonly after: Position;
  /** Inclusive if it has a key. */
  readonly upTo: Position;
  readonly limit: number;
}

export interface SettledRows extends Taken {
  readonly rows: readonly SettledRow[];
  /** The number of rows, including those beyond the limit. */
  readonly waiting: number;
}

export interface KeyedRow {
  readonly key: string;
  /** One bit for each event that holds, in the query's order. */
  readonly events: number;
}

export interface SettledRow extends KeyedRow {
  /** The columns with labels and values. */
  readonly details: Row;
}

/**
 * A position in the order in which the rows of a table are counted: by the 64-bit number of the transaction that wrote
 * them, then by key, because one transaction may write more rows than one poll counts.
 */
export interface Position {
  readonly xid: number;
  /** Undefined: before all rows of the transaction. */
  readonly key: string | undefined;
}

/** The position before all rows of transaction `xid` and of later ones. */
export function before(xid: number): Position {
  return { xid, key: undefined };
}

export function isSame(a: Position, b: Position): boolean {
  return a.xid === b.xid && a.key === b.key;
}

/** The range of the rows that were found between two positions. */
export interface Taken {
  /** True if the limit was reached, so that there may be more rows. */
  readonly isFull: boolean;
  /** The position of the last row; undefined if no row was found. */
  readonly last: Position | undefined;
}

/** The position up to which all rows are read, after a search for rows up to `end`. */
export function reached(taken: Taken, end: Position): Position {
  return taken.isFull && taken.last ? taken.last : end;
}

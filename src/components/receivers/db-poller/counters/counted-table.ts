import type { Row } from '../../../../postgres/read-only-pool.ts';

/** The table that a query counts, as the counter sees it. */
export interface CountedTable {
  /**
   * Everything that `work` reads is of one moment.
   *
   * @param timeoutMs for all of it.
   * @throws PostgresError, and whatever `work` throws.
   */
  read<T>(timeoutMs: number, work: (snapshot: TableSnapshot) => Promise<T>): Promise<T>;
}

export interface TableSnapshot {
  readonly head: Head;
  rows(request: RowsRequest): Promise<SettledRows>;
  /** Every row for which an event holds, in chunks. */
  everyRow(): AsyncIterable<readonly KeyedRow[]>;
  /** The labels of series that are there whether anything was counted or not. */
  known(): Promise<readonly Row[]>;
  /** Whether the table was written anew, so that its rows carry the number of another transaction than their own. */
  isRewritten(since: Position): Promise<boolean>;
  /** Whether the transactions that have ended would stay ended if the server crashed now; who waits for it will hear yes. */
  endedForGood(patience: 'waits' | 'does not wait'): Promise<boolean>;
}

/** Of a snapshot. */
export interface Head {
  readonly identity: TableIdentity;
  /** Every transaction below has ended. */
  readonly settledXid: number;
  /** No transaction has come to this yet. */
  readonly nextXid: number;
  /** By the database's clock. */
  readonly nowUnixMs: number;
  /** By PostgreSQL's statistics; undefined where it keeps none. */
  readonly statistics: TableStatistics | undefined;
}

export interface TableStatistics {
  /** Rows ever inserted, also by transactions that were rolled back. */
  readonly inserted: number;
  readonly updated: number;
}

/** Transaction numbers and keys mean the same as long as all of this is the same. */
export interface TableIdentity {
  /** System identifier, timeline, and the numbers of database and table. */
  readonly history: string;
  /** The file that holds the table: another one after VACUUM FULL, TRUNCATE and some kinds of ALTER TABLE. */
  readonly file: string;
}

/** `recent` and `older` are either side of the bound; `all` is the whole table. */
export type Lane = 'recent' | 'older' | 'all';

export interface RowsRequest {
  readonly lane: Lane;
  readonly boundUnixMs: number;
  readonly after: Position;
  /** Inclusive where it names a key. */
  readonly upTo: Position;
  readonly limit: number;
}

export interface SettledRows extends Taken {
  readonly rows: readonly SettledRow[];
  /** How many there are with those beyond the limit. */
  readonly waiting: number;
}

export interface KeyedRow {
  readonly key: string;
  /** The events that hold, one bit each, in the query's order. */
  readonly events: number;
}

export interface SettledRow extends KeyedRow {
  /** Labels and values. */
  readonly details: Row;
}

/**
 * A place in the order in which the rows of a table are counted: by the transaction that wrote them, as PostgreSQL's
 * 64-bit number, and within it by key, since one transaction may write more rows than one poll takes.
 */
export interface Position {
  readonly xid: number;
  /** Undefined: before every row of the transaction. */
  readonly key: string | undefined;
}

/** Before everything that transaction `xid` and later ones wrote. */
export function before(xid: number): Position {
  return { xid, key: undefined };
}

export function isSame(a: Position, b: Position): boolean {
  return a.xid === b.xid && a.key === b.key;
}

/** What was found between two positions. */
export interface Taken {
  /** Whether as many rows were found as were asked for, so that there may be more. */
  readonly isFull: boolean;
  /** Of the last row; undefined if there is none. */
  readonly last: Position | undefined;
}

/** How far one has come who looked for rows up to `end`. */
export function reached(taken: Taken, end: Position): Position {
  return taken.isFull && taken.last ? taken.last : end;
}

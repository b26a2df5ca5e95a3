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
  /** The rows for which an event holds, in chunks: of these blocks, or written by this transaction or later ones. */
  everyRow(
    part: { readonly from: number; readonly end: number } | { readonly sinceXid: number },
  ): AsyncIterable<readonly KeyedRow[]>;
  /** The labels of the series that exist before a row is counted. */
  known(): Promise<readonly Row[]>;
  /** The labels of rows that exist now, the most important first. */
  existing(): Promise<readonly Row[]>;
  /** A batch of the rows of a range of blocks. */
  swept(sweep: Sweep, blocks: number): Promise<SweptRows>;
  /** The number of rows of a sweep in a range of blocks. */
  count(sweep: Sweep, blocks: number): Promise<number>;
  /** The largest number of blocks of these tables, or of all. */
  blocks(parts?: readonly string[]): Promise<number>;
  /** True if rows of these tables were written by transactions before the position. */
  hasRowsBefore(position: Position, parts: readonly string[]): Promise<boolean>;
  /** True if the table was rewritten, so that its rows carry the number of the rewriting transaction. */
  isRewritten(since: Position): Promise<boolean>;
  /**
   * True if ended transactions would stay ended if the server crashed now. Always true if it waits as long as needed;
   * otherwise the next reading may find the same rows again.
   */
  endedForGood(patience: Patience): Promise<boolean>;
}

/** How long to wait until the log is on disk. */
export type Patience = 'does not wait' | 'waits' | 'waits as long as needed';

/** The transaction numbers, time and statistics of a snapshot. */
export interface Head {
  readonly identity: TableIdentity;
  /** True on a server that replays the transactions of another one. */
  readonly isStandby: boolean;
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

/** A part of the history that the server does not reveal. */
export const UNKNOWN = '-';

/** Positions and keys stay valid as long as the identity of the table does not change. */
export interface TableIdentity {
  /** System identifier, timeline, and the OIDs of database and table, divided by `/`. Each of the first two may be UNKNOWN. */
  readonly history: string;
  /** The file of the table. VACUUM FULL, TRUNCATE and some kinds of ALTER TABLE replace it. */
  readonly file: string;
  /** The numbers and types of the key's columns. */
  readonly key: string;
  /** The files of the table, its partitions and the tables that inherit from it, by OID. */
  readonly parts: Readonly<Record<string, string>>;
}

/**
 * Rows that are counted apart from the position, by ranges of blocks, because they are too many to be sorted for each
 * batch, or were written long before the position in a table that was attached later.
 */
export interface Sweep {
  /** The rows on the recent side of the bound begin here. Undefined: all rows from the first one, on both sides. */
  readonly after: Position | undefined;
  /** The rows on the other side of the bound begin here. */
  readonly olderAfter: Position;
  readonly boundUnixMs: number;
  readonly upTo: Position;
  /** The tables that are read. Undefined: all. */
  readonly parts: readonly string[] | undefined;
  /** All rows in blocks before this one are counted. */
  readonly block: number;
  /** No row is in this block or a later one. */
  readonly endBlock: number;
  /** The files whose blocks these are. */
  readonly files: Readonly<Record<string, string>>;
}

export interface SweptRows {
  readonly rows: readonly SettledRow[];
  /** True if the blocks have more rows than fit into memory. `rows` is empty then. */
  readonly isTooMany: boolean;
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
  /** True if so many rows are waiting that sorting them for each batch takes too long. `rows` are a few of them then. */
  readonly isTooMany: boolean;
}

export interface KeyedRow {
  readonly key: string;
  /** One bit for each event that holds, in the query's order. */
  readonly events: number;
}

export interface SettledRow extends KeyedRow {
  /** The columns with labels and values. */
  readonly details: Row;
  /** True if row level security hides the labels. */
  readonly isHidden?: boolean;
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

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

import type { Labels } from '../../../../metrics/metric.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import type { CounterQuery } from '../query.ts';
import type { Head, Lane, RowsRequest, SettledRows, TableSnapshot } from './counted-table.ts';
import { before, isSame, type Position } from './counted-table.ts';
import type { KeptState } from './kept-state.ts';
import type { Occurrence, Totals } from './totals.ts';

/** The side of the bound that is read at each poll. */
export function recentLane({ bound }: CounterQuery): Lane {
  return bound ? 'recent' : 'all';
}

/** A batch of the rows that were settled since a position. @throws PostgresError */
export async function recentRows(
  query: CounterQuery,
  snapshot: TableSnapshot,
  { position, boundUnixMs }: { readonly position: Position; readonly boundUnixMs: number },
  limit: number,
): Promise<SettledRows> {
  return await rowsBetween(snapshot, {
    lane: recentLane(query),
    boundUnixMs,
    after: position,
    upTo: before(snapshot.head.settledXid),
    limit,
  });
}

export const noRows: SettledRows = { rows: [], waiting: 0, isTooMany: false, isFull: false, last: undefined };

/** The rows between two positions; without a query if they are equal. @throws PostgresError */
export async function rowsBetween(snapshot: TableSnapshot, request: RowsRequest): Promise<SettledRows> {
  if (isSame(request.after, request.upTo)) return noRows;
  return await snapshot.rows(request);
}

/** The series that start at 0 before a row is counted. @throws PostgresError */
export async function knownZeros(
  { metrics, knownBy }: CounterQuery,
  snapshot: TableSnapshot,
  totals: Totals,
): Promise<readonly Pick<Occurrence, 'metric' | 'row'>[]> {
  const fromZero = metrics.filter((metric) => metric.fromZero);
  if (fromZero.length === 0) return [];
  const counted = knownBy === undefined ? [] : totals.labelSets(knownBy);
  const known: readonly Row[] = [...(await snapshot.known()), ...counted];
  return fromZero.flatMap(({ metric }) =>
    known.flatMap((row) => knownSeries(row, metric.labels)).map((row) => ({ metric, row })),
  );
}

/** The bound as of this snapshot: rows with a later time are recent. */
export function newBound({ bound }: CounterQuery, head: Head): number {
  return head.nowUnixMs - (bound?.marginMs ?? 0);
}

/** The state after all older rows were read up to this snapshot. */
export function reconciled(query: CounterQuery, state: KeptState, head: Head): KeptState {
  const boundUnixMs = Math.max(state.boundUnixMs, newBound(query, head));
  return { ...state, boundUnixMs, reconciledUnixMs: head.nowUnixMs };
}

const LATE_SHARE = 1 / 60;

/** The age of a late bound. */
export function lateMs({ bound }: CounterQuery): number {
  return (bound?.marginMs ?? 0) * LATE_SHARE;
}

/** A bound with few recent rows, for a table that many are written to. A row that is later than that is counted later. */
export function lateBound(query: CounterQuery, head: Head): number {
  return head.nowUnixMs - lateMs(query);
}

/** True if a late bound has fewer recent rows than the present one, as far as the time shows. */
export function canBeLater(query: CounterQuery, { boundUnixMs }: KeptState, head: Head): boolean {
  return query.bound !== undefined && lateBound(query, head) - boundUnixMs >= lateMs(query);
}

export function withLaterBound(query: CounterQuery, state: KeptState, head: Head): KeptState {
  return canBeLater(query, state, head) ? { ...state, boundUnixMs: lateBound(query, head) } : state;
}

/**
 * The label sets of a known row: one for each combination of values of the closed labels that the row omits. None if the
 * row omits a label whose values are not known in advance.
 */
export function knownSeries(row: Row, labels: Labels): Row[] {
  return Object.entries(labels)
    .filter(([label, values]) => !(label in row) && !('constant' in values))
    .reduce<Row[]>(
      (rows, [label, values]) =>
        'maxValues' in values ? [] : rows.flatMap((one) => values.map((value) => ({ ...one, [label]: value }))),
      [row],
    );
}

/**
 * Detects when reading the whole table could find rows that earlier readings have not found, which needs new writes in
 * PostgreSQL's statistics. The statistics are late, and may include writes that are not settled yet.
 */
export class UnreadRows {
  #written = '';
  /** All writes in the statistics are by transactions below this number. */
  #writtenBelow = Infinity;
  #readBelow = -Infinity;

  get mayExist(): boolean {
    return this.#readBelow < this.#writtenBelow;
  }

  saw({ statistics, nextXid }: Head): void {
    const written = JSON.stringify(statistics);
    if (statistics && written === this.#written) return;
    this.#written = written ?? '';
    this.#writtenBelow = statistics ? nextXid : Infinity;
  }

  readUpTo({ xid }: Position): void {
    this.#readBelow = xid;
  }
}

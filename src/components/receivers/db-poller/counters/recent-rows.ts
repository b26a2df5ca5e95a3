import type { Labels } from '../../../../metrics/metric.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import type { CounterQuery } from '../query.ts';
import type { Head, RowsRequest, SettledRows, TableSnapshot } from './counted-table.ts';
import { before, isSame, type Position } from './counted-table.ts';
import type { Occurrence } from './totals.ts';

/** A batch of what was settled since a position. @throws PostgresError */
export async function recentRows(
  query: CounterQuery,
  snapshot: TableSnapshot,
  { position, boundUnixMs }: { readonly position: Position; readonly boundUnixMs: number },
  limit: number,
): Promise<SettledRows> {
  return await rowsBetween(snapshot, {
    lane: query.bound ? 'recent' : 'all',
    boundUnixMs,
    after: position,
    upTo: before(snapshot.head.settledXid),
    limit,
  });
}

/** The database is not asked for what cannot be there. @throws PostgresError */
export async function rowsBetween(snapshot: TableSnapshot, request: RowsRequest): Promise<SettledRows> {
  if (isSame(request.after, request.upTo)) return { rows: [], waiting: 0, isFull: false, last: undefined };
  return await snapshot.rows(request);
}

/** The series that are there before anything has happened. @throws PostgresError */
export async function knownZeros(
  { metrics }: CounterQuery,
  snapshot: TableSnapshot,
): Promise<readonly Pick<Occurrence, 'metric' | 'row'>[]> {
  const fromZero = metrics.filter((metric) => metric.fromZero);
  if (fromZero.length === 0) return [];
  const known: readonly Row[] = await snapshot.known();
  return fromZero.flatMap(({ metric }) =>
    known.flatMap((row) => knownSeries(row, metric.labels)).map((row) => ({ metric, row })),
  );
}

/** Rows whose time is later are recent, as of this moment. */
export function newBound({ bound }: CounterQuery, head: Head): number {
  return head.nowUnixMs - (bound?.marginMs ?? 0);
}

/**
 * The label sets that a known row stands for: one for each combination of values of the closed labels that it does not
 * name. None if it leaves out a label whose values nobody knows beforehand.
 */
export function knownSeries(row: Row, labels: Labels): Row[] {
  return Object.entries(labels)
    .filter(([label]) => !(label in row))
    .reduce<Row[]>(
      (rows, [label, values]) =>
        'maxValues' in values ? [] : rows.flatMap((one) => values.map((value) => ({ ...one, [label]: value }))),
      [row],
    );
}

/**
 * Whether reading the whole table could find rows that no reading before has found: only if PostgreSQL's statistics
 * know of writes since. They come late, and what they know of may not be settled yet.
 */
export class UnreadRows {
  #written = '';
  /** Everything that the statistics know of was written by transactions below this one. */
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

import type { Row } from '../../../../postgres/read-only-pool.ts';
import type { Head, RowsRequest, SettledRows, TableSnapshot } from './counted-table.ts';
import type { CounterQuery } from '../query.ts';
import { knownSeries } from './known-series.ts';
import { before, isSame, type Position } from './position.ts';
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

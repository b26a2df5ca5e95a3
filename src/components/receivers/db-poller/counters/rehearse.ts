import type { CountedTable } from './counted-table.ts';
import type { CounterQuery } from '../query.ts';
import { occurrencesOf, type DroppedValues, type ReplacedLabel } from './occurrences.ts';
import { before } from './counted-table.ts';
import { knownZeros, newBound, recentRows } from './recent-rows.ts';
import { Totals } from './totals.ts';

/** A range of latest transactions that usually includes some rows. */
const LATEST_TRANSACTIONS = 1_000_000;
/** PostgreSQL reserves the numbers below. */
const FIRST_TRANSACTION = 3;

export interface Rehearsal {
  readonly rows: number;
  readonly replaced: readonly ReplacedLabel[];
  readonly dropped: DroppedValues;
}

/** Reads and evaluates a batch like a poll with a backlog, for a counter at 0, and stores nothing. @throws PostgresError */
export async function rehearse(query: CounterQuery, table: CountedTable, timeoutMs: number): Promise<Rehearsal> {
  const { found, zeros } = await table.read(timeoutMs, async (snapshot) => {
    const { head } = snapshot;
    const position = before(Math.max(FIRST_TRANSACTION, head.settledXid - LATEST_TRANSACTIONS));
    const recent = await recentRows(query, snapshot, { position, boundUnixMs: newBound(query, head) }, query.batchRows);
    return { found: recent, zeros: await knownZeros(query, snapshot, Totals.none) };
  });
  const { occurrences, dropped } = occurrencesOf(query, found.rows, () => 0);
  const replaced: ReplacedLabel[] = [];
  Totals.none.withZeros(zeros).with(occurrences, (label, reason, count) => replaced.push({ label, reason, count }));
  return { rows: found.rows.length, replaced, dropped };
}

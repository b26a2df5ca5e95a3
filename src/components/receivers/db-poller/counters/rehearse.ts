import type { CountedTable } from './counted-table.ts';
import type { CounterQuery } from '../query.ts';
import { occurrencesOf, type ReplacedLabel } from './occurrences.ts';
import { before } from './counted-table.ts';
import { knownZeros, newBound, recentRows } from './recent-rows.ts';
import { Totals } from './totals.ts';

/** So many of the latest transactions have rows to look at, as a rule. */
const LATEST_TRANSACTIONS = 1_000_000;
/** Those below are PostgreSQL's own. */
const FIRST_TRANSACTION = 3;

export interface Rehearsal {
  readonly rows: number;
  readonly replaced: readonly ReplacedLabel[];
  readonly notNumbers: number;
}

/** Does what a poll does that has to catch up, for a counter that has counted nothing, and keeps nothing. @throws PostgresError */
export async function rehearse(query: CounterQuery, table: CountedTable, timeoutMs: number): Promise<Rehearsal> {
  const { found, zeros } = await table.read(timeoutMs, async (snapshot) => {
    const { head } = snapshot;
    const position = before(Math.max(FIRST_TRANSACTION, head.settledXid - LATEST_TRANSACTIONS));
    const recent = await recentRows(query, snapshot, { position, boundUnixMs: newBound(query, head) }, query.batchRows);
    return { found: recent, zeros: await knownZeros(query, snapshot) };
  });
  const { occurrences, notNumbers } = occurrencesOf(query, found.rows, () => 0);
  const replaced: ReplacedLabel[] = [];
  Totals.none.withZeros(zeros).with(occurrences, (label, reason, count) => replaced.push({ label, reason, count }));
  return { rows: found.rows.length, replaced, notNumbers };
}

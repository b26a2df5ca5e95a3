import { PostgresError } from '../../../../postgres/postgres-error.ts';
import { concernsDatabase } from '../../../../postgres/polling/poll-failure.ts';
import type { CounterQuery } from '../query.ts';
import type { CountedTable } from './counted-table.ts';
import { Totals } from './totals.ts';

/** The rest of a label's budget is for values that appear later. */
const SHARE_OF_BUDGET = 0.5;

/**
 * The totals when counting starts: 0 for the labels of existing rows, so that the first counted row is an increase. They
 * have a reading of their own: if it fails or takes too long, these series begin with their first row.
 *
 * @throws PostgresError if the database cannot be asked.
 */
export async function firstTotals(query: CounterQuery, table: CountedTable, timeoutMs: number): Promise<Totals> {
  if (!query.existing) return Totals.none;
  try {
    const rows = await table.read(timeoutMs, async (snapshot) => await snapshot.existing());
    const zeros = query.metrics.flatMap(({ metric }) => rows.map((row) => ({ metric, row })));
    return Totals.none.withZeros(zeros, SHARE_OF_BUDGET);
  } catch (error) {
    if (!(error instanceof PostgresError) || concernsDatabase(error)) throw error;
    return Totals.none;
  }
}

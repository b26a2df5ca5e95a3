import { quoteIdentifier, quoteTable } from '../../../../postgres/identifier.ts';
import { PostgresError } from '../../../../postgres/postgres-error.ts';
import type { PlannedUserCounter, PlannedQuery } from '../plan.ts';
import type { UserCounterConfig } from '../user-queries/config.ts';
import type { TableFlaw } from '../user-queries/table-flaw.ts';
import type { UserTable } from '../user-queries/table.ts';
import type { Check, Examined } from './check.ts';

/** Compares the tables of the user's counters with their configuration. */
export const userTables: Check = {
  about: 'the tables of your queries',
  async *find({ planned, tableOf, ask }) {
    const rows = planned.filter(isUserCounter);
    let flawless = 0;
    for (const { id, config } of rows) {
      const { flaws: known, ...table } = await tableOf(config);
      const isCounted = known.every(({ failure }) => failure === undefined);
      const flaws = [...known, ...(isCounted && !table.isKeyProven ? await repeatedKeys(config, table, ask) : [])];
      if (flaws.length === 0) flawless++;
      for (const { failure, what, repair } of flaws) {
        yield failure === undefined
          ? { severity: 'warning', what: `${id} counts with limits: ${what}`, repair }
          : { severity: 'error', what: `${id} counts nothing: ${what}`, repair };
      }
    }
    if (rows.length > 0 && flawless === rows.length)
      yield {
        severity: 'ok',
        what:
          rows.length === 1
            ? 'the table of your counter fits its configuration'
            : `the tables of your ${rows.length} counters fit their configuration`,
      };
  },
};

/** Reads the whole table. */
async function repeatedKeys(
  { table, append_only }: UserCounterConfig,
  { key }: Pick<UserTable, 'key'>,
  ask: Examined['ask'],
): Promise<TableFlaw[]> {
  if (append_only) return [];
  const names = key.join(', ');
  const columns = key.map(quoteIdentifier).join(', ');
  try {
    const repeated = await ask(`select 1 from ${quoteTable(table)} group by ${columns} having count(*) > 1 limit 1`);
    if (repeated.length === 0) return [];
    const what = `rows of ${table} have the same ${names}: rows with the same key count once`;
    return [{ what, repair: 'Set key to columns that identify a row' }];
  } catch (error) {
    if (!(error instanceof PostgresError) || error.reason !== 'timeout') throw error;
    const what = `no unique index covers ${names} of ${table}, and its rows cannot be compared within the timeout`;
    return [{ what, repair: 'Set timeout to more time for this check, or key to the columns of a unique index' }];
  }
}

export function isUserCounter(planned: PlannedQuery): planned is PlannedUserCounter {
  return planned.kind === 'user_counter';
}

export const counting: Check = {
  about: 'the storage of counters',
  async *find({ config, planned }) {
    if (config.storage !== undefined || planned.every(({ kind }) => kind === 'gauges')) return;
    yield {
      severity: 'warning',
      what: 'storage is not set: counters restart at 0 with the sidecar, and rows inserted while it is down are never counted',
      repair: 'Add the extension file_storage and set storage: file_storage',
    };
  },
};

import type { PlannedOwnRows, PlannedQuery } from '../plan.ts';
import type { Check } from './check.ts';

/** Holds the tables of the user's queries against what the queries want of them. */
export const ownTables: Check = {
  about: 'the tables of your queries',
  async *find({ planned, tableOf }) {
    const rows = planned.filter(isOwnRows);
    let flawless = 0;
    for (const { id, config } of rows) {
      const { flaws } = await tableOf(config);
      if (flaws.length === 0) flawless++;
      for (const { failure, what, repair } of flaws) {
        yield failure === undefined
          ? { severity: 'warning', what: `${id} counts less well: ${what}`, repair }
          : { severity: 'error', what: `${id} counts nothing: ${what}`, repair };
      }
    }
    if (rows.length > 0 && flawless === rows.length)
      yield {
        severity: 'ok',
        what: `the tables of your ${rows.length === 1 ? 'query' : `${rows.length} queries`} have what is counted`,
      };
  },
};

export function isOwnRows(planned: PlannedQuery): planned is PlannedOwnRows {
  return planned.kind === 'own_rows';
}

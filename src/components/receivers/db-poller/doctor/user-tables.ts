import type { PlannedUserCounter, PlannedQuery } from '../plan.ts';
import type { Check } from './check.ts';

/** Holds the tables of the user's queries against what the queries want of them. */
export const userTables: Check = {
  about: 'the tables of your queries',
  async *find({ planned, tableOf }) {
    const rows = planned.filter(isUserCounter);
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

export function isUserCounter(planned: PlannedQuery): planned is PlannedUserCounter {
  return planned.kind === 'user_counter';
}

export const counting: Check = {
  about: 'what counting needs',
  async *find({ config, planned }) {
    if (config.storage !== undefined || planned.every(({ kind }) => kind === 'gauges')) return;
    yield {
      severity: 'warning',
      what: 'no storage is set: counters begin at 0 whenever the sidecar starts, and rows of the meantime are not counted',
      repair: 'Add the extension file_storage, and set storage: file_storage',
    };
  },
};

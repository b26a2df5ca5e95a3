import type { PlannedUserCounter, PlannedQuery } from '../plan.ts';
import type { Check } from './check.ts';

/** Compares the tables of the user's counters with their configuration. */
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

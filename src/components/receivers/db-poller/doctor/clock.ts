import type { Check } from './check.ts';

/** What a round trip blurs comes on top. */
const TOLERANCE_S = 1;

export const clock: Check = {
  about: 'the clocks',
  async *find({ ask }) {
    const before = Date.now();
    const [row] = await ask('select extract(epoch from clock_timestamp())::float8 as now_s');
    const after = Date.now();
    const differenceS = Number(row!['now_s']) - (before + after) / 2000;
    const isWithin = Math.abs(differenceS) <= TOLERANCE_S + (after - before) / 2000;
    if (isWithin) {
      yield { severity: 'ok', what: 'the clocks of the database and of this machine agree' };
      return;
    }
    const direction = differenceS > 0 ? 'ahead of' : 'behind';
    yield {
      severity: 'warning',
      what: `the clock of the database is ${Math.abs(differenceS).toFixed(1)} s ${direction} that of this machine: ages on dashboards are wrong by as much`,
      repair: 'Let both be set by NTP',
    };
  },
};

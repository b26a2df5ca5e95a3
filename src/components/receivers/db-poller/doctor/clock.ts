import type { Finding } from '../../../../engine/component.ts';
import type { Check, Examined } from './check.ts';

/** In addition to half of the round trip. */
const TOLERANCE_S = 1;

export const clock = {
  about: 'the clocks',
  async *find({ ask }: Pick<Examined, 'ask'>): AsyncGenerator<Finding> {
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
      what: `the clock of the database is ${Math.abs(differenceS).toFixed(1)} s ${direction} the clock of this machine: ages on dashboards are wrong by the same amount`,
      repair: 'Synchronize both with NTP',
    };
  },
} satisfies Check;

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { clock } from './clock.ts';

const ASKED_AT_S = 1_000_000;
const ROUND_TRIP_S = 0.5;

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: ASKED_AT_S * 1000 }));
afterEach(() => void vi.useRealTimers());

/** @param aheadS how far the clock of the database is ahead of this machine's. */
async function found(aheadS: number): Promise<readonly string[]> {
  const ask = (): Promise<{ now_s: number }[]> => {
    vi.setSystemTime((ASKED_AT_S + ROUND_TRIP_S) * 1000);
    return Promise.resolve([{ now_s: ASKED_AT_S + ROUND_TRIP_S / 2 + aheadS }]);
  };
  const texts: string[] = [];
  for await (const { severity, what } of clock.find({ ask })) texts.push(`${severity}: ${what}`);
  return texts;
}

it.each([0, 1.25, -1.25])(
  'accepts a difference of %f s, within the tolerance and half of the round trip',
  async (s) => {
    expect(await found(s)).toEqual(['ok: the clocks of the database and of this machine agree']);
  },
);

it.each([
  [1.3, '1.3 s ahead of'],
  [60, '60.0 s ahead of'],
  [-3600, '3600.0 s behind'],
])('warns of a difference of %f s', async (aheadS, difference) => {
  expect(await found(aheadS)).toEqual([
    `warning: the clock of the database is ${difference} the clock of this machine: ages on dashboards are wrong by the same amount`,
  ]);
});

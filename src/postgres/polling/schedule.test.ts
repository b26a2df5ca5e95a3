import { assert, integer, property } from 'fast-check';
import { expect, it } from 'vitest';
import { firstRetryMs, nextPollMs, retryMs, sleep } from './schedule.ts';

it('keeps within ten percent of the interval, and varies', () => {
  const pauses = Array.from({ length: 1000 }, () => nextPollMs(1000));
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(900);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(1100);
  expect(Math.max(...pauses) - Math.min(...pauses)).toBeGreaterThan(100);
});

it('doubles the pause after each failure, half of it by chance, up to 30 s or the interval', () => {
  assert(
    property(integer({ min: 1, max: 5000 }), integer({ min: 1, max: 600_000 }), (failures, intervalMs) => {
      const longest = Math.min(Math.max(intervalMs, 30_000), 1000 * 2 ** Math.min(failures - 1, 30));
      const pause = retryMs(failures, 1000, intervalMs);
      expect(pause).toBeGreaterThanOrEqual(longest / 2);
      expect(pause).toBeLessThanOrEqual(longest);
    }),
  );
});

it('asks a database that went away sooner than a query that failed', () => {
  expect([firstRetryMs(true, 15_000), firstRetryMs(true, 200), firstRetryMs(false, 15_000)]).toEqual([
    1000, 200, 15_000,
  ]);
});

it('wakes up at the signal', async () => {
  const stopping = new AbortController();
  const slept = sleep(60_000, stopping.signal);
  stopping.abort();
  await expect(slept).resolves.toBeUndefined();
});

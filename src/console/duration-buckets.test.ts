import { expect, it } from 'vitest';
import { durationBuckets } from './duration-buckets.ts';

it('has two buckets for each power of ten, also for those between without a duration', () => {
  const buckets = durationBuckets([1, 2, 5, 150]);
  expect(buckets.map(({ count }) => count)).toEqual([2, 1, 0, 0, 1]);
  expect(buckets[0]?.fromMs).toBe(1);
  expect(buckets.at(-1)?.toMs).toBeCloseTo(316.2, 1);
});

it('takes durations that are 0 or negative, and none', () => {
  expect(durationBuckets([0, -5]).map(({ count }) => count)).toEqual([2]);
  expect(durationBuckets([])).toEqual([]);
});

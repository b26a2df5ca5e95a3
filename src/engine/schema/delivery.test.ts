import * as v from 'valibot';
import { expect, it } from 'vitest';
import { retryOnFailure, sendingQueue } from './delivery.ts';

it.each([undefined, null, {}])('takes %s as the stock defaults', (input) => {
  expect(v.parse(sendingQueue(), input)).toEqual({
    numConsumers: 10,
    queueSize: 1000,
    sizer: 'requests',
    blockOnOverflow: false,
  });
  expect(v.parse(retryOnFailure(), input)).toMatchObject({ initialIntervalMs: 5000, maxElapsedTimeMs: 300_000 });
});

it('is off with enabled: false', () => {
  expect(v.parse(sendingQueue(), { enabled: false })).toBeUndefined();
  expect(v.parse(retryOnFailure(), { enabled: false })).toBeUndefined();
});

it.each([{ queue_sizes: 1 }, { num_consumers: 0 }, { sizer: 'spans' }])('refuses %j', (input) => {
  expect(v.safeParse(sendingQueue(), input).success).toBe(false);
});

import { expect, it } from 'vitest';
import { parseRetryAfter } from './retry-after.ts';

it.each([
  ['1.5', 1500],
  ['99999999', 3_600_000],
  ['Thu, 01 Jan 1970 00:00:10 GMT', 9000],
  ['Thu, 01 Jan 2099 00:00:00 GMT', 3_600_000],
  ['Wed, 31 Dec 1969 00:00:00 GMT', 0],
  ['soon', undefined],
])('Retry-After: %s', (header, waitMs) => {
  expect(parseRetryAfter(header, 1000)).toBe(waitMs);
});

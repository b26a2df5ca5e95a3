import { describe, expect, it } from 'vitest';
import { parseDsn } from './dsn.ts';
import { RateLimits } from './rate-limits.ts';

describe('parseDsn', () => {
  it.each([
    ['https://abc@sentry.test/1', 'https://sentry.test/api/1/envelope/'],
    ['http://abc:old@127.0.0.1:9000/prefix/7', 'http://127.0.0.1:9000/prefix/api/7/envelope/'],
  ])('finds where %s takes envelopes', (dsn, url) => {
    expect(parseDsn(dsn)).toMatchObject({ envelopeUrl: new URL(url), publicKey: 'abc' });
  });

  it.each(['', 'https://sentry.test/1', 'https://abc@sentry.test', 'ftp://abc@h/1'])('takes %j for none', (text) => {
    expect(parseDsn(text)).toBeUndefined();
  });
});

describe('RateLimits', () => {
  it.each([{ 'retry-after': '99999999' }, { 'x-sentry-rate-limits': '99999999::organization' }])(
    'does not wait longer than an hour, whatever the answer asks: %j',
    (headers) => {
      const limits = new RateLimits();
      limits.update(429, headers, 0);
      expect(limits.isLimited('transaction', 3_599_999)).toBe(true);
      expect(limits.isLimited('transaction', 3_600_000)).toBe(false);
    },
  );

  it('keeps the longer of two limits', () => {
    const limits = new RateLimits();
    limits.update(200, { 'x-sentry-rate-limits': '60:error' }, 0);
    limits.update(200, { 'x-sentry-rate-limits': '1:error' }, 0);
    expect(limits.isLimited('error', 59_999)).toBe(true);
    expect(limits.isLimited('error', 60_000)).toBe(false);
  });

  it.each([
    [{ 'x-sentry-rate-limits': '5:transaction;error:key, 9::org' }, 'span', 8999],
    [{ 'retry-after': '3' }, 'error', 2999],
    [{}, 'transaction', 59_999],
  ])('limits after 429 with %j the category %s for %i ms', (headers, category, untilMs) => {
    const limits = new RateLimits();
    limits.update(429, headers, 0);
    expect([limits.isLimited(category, untilMs), limits.isLimited(category, untilMs + 1)]).toEqual([true, false]);
  });

  it('leaves other categories alone', () => {
    const limits = new RateLimits();
    limits.update(429, { 'x-sentry-rate-limits': '5:transaction' }, 0);
    expect(limits.isLimited('error', 0)).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { parseDsn } from './dsn.ts';
import { RateLimits } from './rate-limits.ts';
import { parseStackFrames } from './stack-frames.ts';

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

describe('parseStackFrames', () => {
  it('reads what V8 writes, outermost call first', () => {
    const stack =
      'Error: x\n    at inner (/app/a.js:1:2)\n    at async Outer.run (file:///app/node_modules/b/c.js:3:4)\n    at node:internal/x:5:6';
    expect(parseStackFrames(stack)).toEqual([
      { function: '<anonymous>', filename: 'node:internal/x', lineno: 5, colno: 6, in_app: false },
      { function: 'Outer.run', filename: 'file:///app/node_modules/b/c.js', lineno: 3, colno: 4, in_app: false },
      { function: 'inner', filename: '/app/a.js', lineno: 1, colno: 2, in_app: true },
    ]);
  });

  it.each(['', 'Traceback (most recent call last):\n  File "a.py", line 1, in f'])('finds none in %j', (stack) => {
    expect(parseStackFrames(stack)).toEqual([]);
  });
});

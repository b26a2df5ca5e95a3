import { describe, expect, it } from 'vitest';
import { parseRetryAfter, readRateLimit } from './rate-limit.ts';

const after = (seconds: string) => ({ 'retry-after': seconds });

describe('a request to slow down', () => {
  it.each([
    ['a 429', new Response('', { status: 429 }), {}],
    ['a 503', new Response('', { status: 503 }), {}],
    ['a Retry-After', new Response('', { status: 429, headers: after('2') }), { retryAfterMs: 2000 }],
    ['a Retry-After of another error', new Response('', { status: 403, headers: after('2') }), { retryAfterMs: 2000 }],
    ['an error with the status', Object.assign(new Error('no'), { statusCode: 429 }), {}],
    ['an error with the response', { response: { status: 503, headers: after('1') } }, { retryAfterMs: 1000 }],
    ['a header in any case', { status: 429, headers: { 'Retry-After': '1' } }, { retryAfterMs: 1000 }],
    ['a header behind a method', { status: 429, headers: new Map([['retry-after', '1']]) }, { retryAfterMs: 1000 }],
    ['too many connections', { code: '53300' }, {}],
    ['configuration limit exceeded', { code: '53400' }, {}],
  ])('%s', (_, answer, expected) => expect(readRateLimit(answer)).toEqual(expected));

  it.each([
    ['a 500', new Response('', { status: 500 })],
    ['a Retry-After of a success', new Response('', { status: 202, headers: after('2') })],
    ['an invalid Retry-After of another error', new Response('', { status: 403, headers: after('soon') })],
    ['a unique violation', { code: '23505' }],
    ['nothing', undefined],
  ])('is not %s', (_, answer) => expect(readRateLimit(answer)).toBeUndefined());

  it('reads Retry-After as seconds and as a date, and nothing else', () => {
    const nowMs = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT');
    expect(parseRetryAfter('Wed, 21 Oct 2026 07:28:30 GMT', nowMs)).toBe(30_000);
    expect(parseRetryAfter('Wed, 21 Oct 2026 07:27:00 GMT', nowMs)).toBe(0);
    for (const bad of ['-1', '1.5', 'soon', '']) expect(parseRetryAfter(bad, nowMs)).toBeUndefined();
  });
});

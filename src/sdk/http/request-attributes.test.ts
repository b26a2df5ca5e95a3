import { describe, expect, it } from 'vitest';
import { addressOf, clientOf, pathOf } from './request-attributes.ts';

describe('pathOf', () => {
  it.each([
    ['/', '/', undefined],
    ['/a/b?c=1&d', '/a/b', 'c=1&d'],
    ['/a?', '/a', undefined],
    ['/a?b?c', '/a', 'b?c'],
    ['/a#f?x', '/a', undefined],
    ['//evil.example/x', '//evil.example/x', undefined],
    ['http://proxy.example/a?b', '/a', 'b'],
    ['http://proxy.example', '/', undefined],
    ['*', '*', undefined],
    ['', '/', undefined],
  ])('reads %s', (target, path, query) => {
    expect(pathOf(target)).toEqual({ path, query });
  });
});

describe('addressOf', () => {
  it.each([
    [{ host: 'a.example' }, 'http', { address: 'a.example', port: 80 }],
    [{ host: 'a.example' }, 'https', { address: 'a.example', port: 443 }],
    [{ host: 'a.example:8080' }, 'http', { address: 'a.example', port: 8080 }],
    [{ host: '[::1]:3000' }, 'http', { address: '[::1]', port: 3000 }],
    [{ host: '[::1]' }, 'http', { address: '[::1]', port: 80 }],
    [{ host: 'a.example:x' }, 'http', { address: 'a.example' }],
    [{}, 'http', {}],
    [{ host: '' }, 'http', {}],
    [
      { host: 'inner', 'x-forwarded-host': 'b.example, c', 'x-forwarded-proto': 'https' },
      'http',
      { address: 'b.example', port: 443 },
    ],
    [{ host: 'inner', 'x-forwarded-host': 'b.example' }, 'http', { address: 'b.example' }],
    [
      { host: 'inner', forwarded: 'for=1.2.3.4;host="d.example:81";proto=https, host=e' },
      'http',
      { address: 'd.example', port: 81 },
    ],
  ])('reads %j over %s', (headers, scheme, expected) => {
    expect(addressOf(headers, scheme)).toEqual(expected);
  });

  it('takes linear time for long headers', () => {
    const begun = performance.now();
    addressOf({ forwarded: 'for=a;'.repeat(100_000), 'x-forwarded-host': ','.repeat(100_000) }, 'http');
    expect(performance.now() - begun).toBeLessThan(500);
  });
});

describe('clientOf', () => {
  it.each([
    [{}, '10.0.0.1'],
    [{ 'x-forwarded-for': '1.2.3.4, 5.6.7.8' }, '1.2.3.4'],
    [{ 'x-forwarded-for': '1.2.3.4:999' }, '1.2.3.4'],
    [{ forwarded: 'for="[2001:db8::1]:4711";proto=http' }, '2001:db8::1'],
    [{ forwarded: 'proto=http', 'x-forwarded-for': '9.9.9.9' }, '9.9.9.9'],
  ])('prefers the address that a proxy forwards: %j', (headers, expected) => {
    expect(clientOf(headers, '10.0.0.1')).toBe(expected);
  });
});

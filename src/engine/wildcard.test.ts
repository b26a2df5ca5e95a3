import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { wildcard } from './wildcard.ts';

test.each([
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*', 'a\nb', true],
  ['host.*', 'host.name', true],
  ['host.*', 'hostname', false],
  ['a*a', 'a', false],
  ['a*b*a', 'aba', true],
  ['*b*b*', 'ab', false],
  ['a.c', 'abc', false],
])('%j matches %j: %j', (pattern, text, expected) => {
  expect(wildcard(pattern)(text)).toBe(expected);
});

test('matches as a regular expression does', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
  fc.assert(
    fc.property(letters, letters, (pattern, text) => {
      expect(wildcard(pattern)(text)).toBe(new RegExp(`^${pattern.replaceAll('*', '[^]*')}$`).test(text));
    }),
  );
});

test('takes linear time for patterns with several wildcards', () => {
  const matches = wildcard('https://*.*.*.*.*.example.com');
  const before = process.cpuUsage();
  expect(matches(`https://${'.'.repeat(1_000_000)}`)).toBe(false);
  expect(matches(`https://${'.example.co'.repeat(100_000)}.example.com`)).toBe(true);
  expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
});

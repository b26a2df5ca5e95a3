import { expect, it, test } from 'vitest';
import { textPattern } from './text-pattern.ts';

test.each([
  ['eu', 'the eu region', true],
  ['^eu', 'the eu region', false],
  ['(?i)^B+$', 'bb', true],
  ['^a|b$', 'xb', true],
  ['(?P<year>\\d{4})-', 'in 2026-01', true],
  ['\\Aab\\z', 'ab', true],
  ['\\Aab\\z', 'ab ', false],
  ['a.c', 'a\nc', false],
  ['x', 'line\nwith x', true],
  ['', '', true],
])('%j in %j is %s', (pattern, text, fits) => {
  expect(textPattern(pattern)(text)).toBe(fits);
});

test.each(['(', 'a)(b', '[b-a]', 'a{5000}', '(a{100}){100}'])('refuses %j', (pattern) => {
  expect(() => textPattern(pattern)).toThrow();
});

it.each([
  ['^(a+)+$', `${'a'.repeat(4000)}!`],
  ['(a|aa)+$', `${'a'.repeat(100_000)}!`],
  ['(.*)*x(.*)*y', 'x'.repeat(1_000_000)],
])('needs little time for %j', (pattern, text) => {
  const fits = textPattern(pattern);
  const { user, system } = process.cpuUsage();
  expect(fits(text)).toBe(false);
  const used = process.cpuUsage({ user, system });
  expect(used.user + used.system, 'microseconds').toBeLessThan(500_000);
});

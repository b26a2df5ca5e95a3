import { expect, it, test } from 'vitest';
import { finished } from '../../tests/support/promql/finished.ts';
import { TextPatterns } from './text-patterns.ts';

function isFit(source: string, text: string): boolean {
  return finished(new TextPatterns([source], 0).fit(text, { spend: () => false })).value;
}

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
  expect(isFit(pattern, text)).toBe(fits);
});

test.each(['(', 'a)(b', '[b-a]', 'a{5000}', '(a{100}){100}'])('refuses %j', (pattern) => {
  expect(() => new TextPatterns([pattern], 0)).toThrow();
});

it.each([
  ['^(a+)+$', `${'a'.repeat(4000)}!`],
  ['(a|aa)+$', `${'a'.repeat(100_000)}!`],
  ['(.*)*x(.*)*y', 'x'.repeat(1_000_000)],
])('needs little time for %j', (pattern, text) => {
  const { user, system } = process.cpuUsage();
  expect(isFit(pattern, text)).toBe(false);
  const used = process.cpuUsage({ user, system });
  expect(used.user + used.system, 'microseconds').toBeLessThan(500_000);
});

it('compares the first 4,096 characters', () => {
  expect(isFit('a$', 'a'.repeat(4096))).toBe(true);
  expect(isFit('a$', 'a'.repeat(4097))).toBe(false);
  expect(isFit('b', `${'a'.repeat(4096)}b`)).toBe(false);
});

it('remembers the latest answers', () => {
  const patterns = new TextPatterns(['^x+$', 'y'], 2);
  const stepsFor = (text: string): number => {
    let steps = 0;
    finished(patterns.fit(text, { spend: (some) => (steps += some) < 0 }));
    return steps;
  };
  const texts = ['xx', 'no', 'y'];
  for (const text of texts) expect(stepsFor(text)).toBeGreaterThan(0);
  expect(texts.toReversed().map((text) => stepsFor(text) > 0)).toEqual([false, false, true]);
});

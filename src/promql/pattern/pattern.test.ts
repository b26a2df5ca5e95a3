import { array, assert, constantFrom, property, string } from 'fast-check';
import { expect, it, test } from 'vitest';
import { budgetWith, finished } from '../../../tests/support/promql/finished.ts';
import { Pattern } from './pattern.ts';

function isFit(source: string, text: string): boolean {
  return finished(new Pattern(source).fits(text, budgetWith())).value;
}

test.each([
  ['a|b', 'b', true],
  ['a|b', 'ab', false],
  ['', '', true],
  ['.*', 'a\nb', false],
  ['(?s).*', 'a\nb', true],
  ['(?i)shop', 'SHoP', true],
  ['(?i:s)hop', 'Shop', true],
  ['(?i:s)hop', 'SHOP', false],
  ['[^a-c]+', 'xyz', true],
  ['[^a-c]+', 'xaz', false],
  ['[]a]+', ']a', true],
  ['[[:digit:]_]{2,3}', '1_2', true],
  ['[[:digit:]_]{2,3}', '1_23', false],
  [String.raw`\d+\.\d+`, '1.25', true],
  [String.raw`\p{Greek}+`, 'αβγ', true],
  [String.raw`\PL`, '1', true],
  [String.raw`\Qa.b\E.`, 'a.bc', true],
  [String.raw`\x41\x{1F600}`, 'A😀', true],
  ['.', '😀', true],
  ['(a*)*b', 'aaab', true],
  ['a{0}b', 'b', true],
  ['^a$', 'a', true],
  [String.raw`\bshop\b`, 'shop', true],
  ['a{,2}', 'a{,2}', true],
])('%s fits %s: %s', (source, text, fits) => {
  expect(isFit(source, text)).toBe(fits);
});

test.each([
  '(',
  ')',
  '[a',
  '*',
  'a**',
  '(?=a)',
  '(?<=a)',
  String.raw`\1`,
  String.raw`\k`,
  '[b-a]',
  'a{3,2}',
  'a{1001}',
  '[[:nothing:]]',
  '(?P<a>.)(?P<a>.)',
  `${'('.repeat(300)}${')'.repeat(300)}`,
  '((a{100}){100}){100}',
])('%s is refused', (source) => {
  expect(() => new Pattern(source)).toThrow('the pattern');
});

test.each([
  ['(.*)-(.*)', '$2 $1', 'a-b', 'b a'],
  ['(?P<first>.)(.*)', '${first}x$2', 'abc', 'axbc'],
  ['(a)|(b)', '[$1][$2]', 'b', '[][b]'],
  ['(a*)(a*)', '$1.$2', 'aaa', 'aaa.'],
  ['(a*?)(a*)', '$1.$2', 'aaa', '.aaa'],
  ['a', '$$ $1x', 'a', '$ '],
  ['b', '$1', 'a', undefined],
])('%s with %s makes of %s: %s', (source, template, text, expected) => {
  expect(finished(new Pattern(source).expand(text, template, budgetWith())).value).toBe(expected);
});

it('takes no longer for a pattern that could fit in very many ways', () => {
  const { value, pauses } = finished(new Pattern('(a+)+(a|a)*(a*)*b').fits('a'.repeat(5000), budgetWith()));
  expect(value).toBe(false);
  expect(pauses).toBeLessThan(100);
});

test.each(['(.*)'.repeat(100) + 'z', '(a|b|c|_|.)*'.repeat(300)])('lets other work run within a match', (source) => {
  const steps = new Pattern(source).fits('a'.repeat(1000), budgetWith());
  expect(finished(steps).pauses).toBeGreaterThan(100);
  const late = new Pattern(source).fits('a'.repeat(1000), budgetWith({ timeoutMs: -1 }));
  expect(() => finished(late)).toThrow('takes longer');
});

it.each(['', 'a', '.*', '.+', 'a|', '(?i)b*', '^$'])('knows without a text whether %j fits none', (source) => {
  expect(new Pattern(source).fitsEmpty).toBe(isFit(source, ''));
});

it('agrees with JavaScript where both have the same syntax', () => {
  const part = constantFrom('a', 'b', '.', '(ab)', '(a|b)', '[ab]', '[^a]', 'a*', 'b+', '(ab)?', 'a{1,2}', '(a|b|)+?');
  const source = array(part, { maxLength: 6 }).map((parts) => parts.join(''));
  const text = string({ unit: constantFrom('a', 'b', 'c'), maxLength: 8 });
  assert(
    property(source, text, (one, other) => {
      expect(isFit(one, other)).toBe(new RegExp(`^(?:${one})$`, 'u').test(other));
    }),
  );
});

import { array, assert, constantFrom, property, string } from 'fast-check';
import { expect, it, test } from 'vitest';
import { budgetWith, finished } from '../../tests/support/promql/finished.ts';
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
  ['(.*)-(.*)', 'a-b', ['a', 'b']],
  ['(a)|(b)', 'b', ['', 'b']],
  ['(a*)(a*)', 'aaa', ['aaa', '']],
  ['(a*?)(a*)', 'aaa', ['', 'aaa']],
  ['(😀|x)*y', 'x😀y', ['😀']],
  ['b', 'a', undefined],
])('the groups of %s in %s are %j', (source, text, expected) => {
  const groups = finished(new Pattern(source).groupsOf(text, budgetWith())).value;
  expect(groups && [...groups.values()]).toEqual(expected && [text, ...expected]);
});

it('knows groups by name', () => {
  const groups = finished(new Pattern('(?P<first>.)(.*)').groupsOf('abc', budgetWith())).value;
  expect(Object.fromEntries(groups ?? [])).toEqual({ 0: 'abc', 1: 'a', 2: 'bc', first: 'a' });
});

it('takes no longer for a pattern that could fit in very many ways', () => {
  const { value, pauses } = finished(new Pattern('(a+)+(a|a)*(a*)*b').fits('a'.repeat(5000), budgetWith()));
  expect(value).toBe(false);
  expect(pauses).toBeLessThan(100);
});

it('lets other work run within a match', () => {
  const source = '(a|b)*a(a|b){500}';
  const text = Array.from({ length: 1000 }, (_, i) => ((i * i) % 7 < 3 ? 'a' : 'b')).join('');
  expect(finished(new Pattern(source).fits(text, budgetWith())).pauses).toBeGreaterThan(100);
  const late = new Pattern(source).fits(text, budgetWith({ timeoutMs: -1 }));
  expect(() => finished(late)).toThrow('takes longer');
});

it.each(['', 'a', '.*', '.+', 'a|', '(?i)b*', '^$'])('knows without a text whether %j fits none', (source) => {
  expect(new Pattern(source).fitsEmpty).toBe(isFit(source, ''));
});

const PARTS: readonly string[] = [
  'a',
  'b',
  '.',
  '(ab)',
  '(a|b)',
  '[ab]',
  '[^a]',
  'a*',
  'b+',
  '(ab)?',
  'a{1,2}',
  '(a|b|)+?',
  'é',
  '\\w',
  '(😀|a)',
  '^',
  '$',
  '\\b',
  '\\B',
  '(^|b)',
  '(a|$)*',
  '[^\\w]',
];
const part = constantFrom(...PARTS);
const patternSource = array(part, { maxLength: 6 }).map((parts) => parts.join(''));
const anyText = string({ unit: constantFrom('a', 'b', 'c', ' ', 'é', '😀'), maxLength: 8 });

it('agrees with JavaScript where both have the same syntax', () => {
  assert(
    property(patternSource, array(anyText, { minLength: 1 }), (source, texts) => {
      const pattern = new Pattern(source);
      for (const text of texts) {
        // JavaScript finds a place for it inside of a pair of surrogates.
        if (source.includes('\\B') && text.includes('😀')) continue;
        expect(finished(pattern.fits(text, budgetWith())).value).toBe(new RegExp(`^(?:${source})$`, 'u').test(text));
        expect(finished(pattern.fitsWithin(text, budgetWith())).value).toBe(new RegExp(source, 'u').test(text));
      }
    }),
  );
});

/** For each text a state is needed that no text had before. */
const BLOW_UP = '(a|b)*a(a|b){12}';

it('agrees with JavaScript when it forgets states', () => {
  const pattern = new Pattern(BLOW_UP);
  const expected = new RegExp(`^(?:${BLOW_UP})$`);
  const long = string({ unit: constantFrom('a', 'b'), minLength: 13, maxLength: 3000 });
  assert(
    property(long, (text) => {
      expect(finished(pattern.fits(text, budgetWith())).value).toBe(expected.test(text));
    }),
    { numRuns: 50 },
  );
});

it('reads several texts at a time', () => {
  const pattern = new Pattern(BLOW_UP);
  const texts = Array.from({ length: 5 }, (_, i) => 'abbab'.slice(i).repeat(4000) + 'a'.repeat(12 + (i % 2)));
  const work = { spend: () => true };
  const running = texts.map((text) => ({ text, steps: pattern.fits(text, work) }));
  for (let left = running; left.length > 0;) {
    left = left.filter(({ text, steps }) => {
      const { done, value } = steps.next();
      if (done === true) expect(value).toBe(new RegExp(`^(?:${BLOW_UP})$`).test(text));
      return done !== true;
    });
  }
});

it.each([
  ['(a+)+(a|a)*(a*)*b', 'a'],
  [BLOW_UP, 'ab'],
  ['(.*)x(.*)y(.*)z', 'xy'],
  ['(?i)(error|warning|[[:^alpha:]]{3})$', 'Error ß'],
])('takes about one small step for each character: %s', (source, unit) => {
  const pattern = new Pattern(source);
  const text = unit.repeat(50_000);
  let spent = 0;
  const work = { spend: (steps: number) => (spent += steps) < 0 };
  for (let i = 0; i < 2; i++) finished(pattern.fits(text, work));
  expect(spent).toBeLessThan(2.2 * text.length);
});

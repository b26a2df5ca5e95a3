import { expect, it } from 'vitest';
import { addDecimals } from './decimal-sum.ts';

it.each([
  ['0', '5', '5'],
  ['0.1', '0.2', '0.3'],
  ['19.99', '0.01', '20'],
  ['9007199254740993', '0.5', '9007199254740993.5'],
  ['1e21', '1', '1000000000000000000001'],
  ['1.5e-7', '1.5e-7', '0.0000003'],
  ['-2.5', '1', '-1.5'],
  ['.5', '5.', '5.5'],
  ['1', '1e-300', '1'],
  ['1e300', '1', `1${'0'.repeat(299)}1`],
])('%s + %s is %s', (a, b, sum) => {
  expect(addDecimals(a, b)).toBe(sum);
  expect(addDecimals(b, a)).toBe(sum);
});

it('is exact for any decimals', () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const SCALE = 12;
  const values = Array.from({ length: 5000 }, () => {
    const fraction = String(random(10 ** 6)).slice(0, random(SCALE));
    return { sign: random(2) === 0 ? '' : '-', whole: String(random(10 ** 9)), fraction };
  });
  const units = values.map(({ sign, whole, fraction }) => BigInt(`${sign}${whole}${fraction.padEnd(SCALE, '0')}`));
  const expected = units.reduce((sum, one) => sum + one, 0n);
  const texts = values.map(({ sign, whole, fraction }) => `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`);
  const [whole = '', fraction = ''] = texts.reduce(addDecimals, '0').split('.');
  expect(BigInt(`${whole}${fraction.padEnd(SCALE, '0')}`)).toBe(expected);
});

it('is the same in any order, unlike floating-point numbers', () => {
  const cents = Array.from({ length: 10_000 }, (_, i) => `0.${String(i % 100).padStart(2, '0')}`);
  expect(cents.reduce(addDecimals)).toBe('4950');
  expect(cents.toReversed().reduce(addDecimals)).toBe('4950');
});

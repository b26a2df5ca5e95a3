import { describe, expect, it } from 'vitest';
import { numberOf } from './number-of.ts';

describe('the number that a column holds', () => {
  it.each([
    ['9007199254740991', 9007199254740991],
    ['-12.50', -12.5],
    [' 1.5e3 ', 1500],
    [7, 7],
    [true, 1],
    [null, undefined],
  ])('of %j is %j', (column, expected) => {
    expect(numberOf(column)).toBe(expected);
  });

  it.each(['', '  ', '0x10', '1_000', '12 EUR', 'NaN', 'Infinity', '1e999', { a: 1 }, [1]])(
    'of %j is none: it is never made up',
    (column) => {
      expect(numberOf(column)).toBeNaN();
    },
  );
});

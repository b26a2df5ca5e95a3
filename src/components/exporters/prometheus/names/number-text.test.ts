import { expect, test } from 'vitest';
import { numberText } from './number-text.ts';

/** Expected texts from Go's strconv. */
test.each([
  [0, '0'],
  [-0, '0'],
  [999_999, '999999'],
  [1e6, '1e+06'],
  [-1_234_567, '-1.234567e+06'],
  [1_000_001.5, '1.0000015e+06'],
  [9_007_199_254_740_991, '9.007199254740991e+15'],
  [1e21, '1e+21'],
  [0.0001, '0.0001'],
  [0.00001, '1e-05'],
  [5e-324, '5e-324'],
  [NaN, 'NaN'],
  [Infinity, '+Inf'],
  [-Infinity, '-Inf'],
])('%d is %s', (value, text) => {
  expect(numberText(value)).toBe(text);
});

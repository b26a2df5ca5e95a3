import { describe, expect, it } from 'vitest';
import { LabelValues, numberOf } from './columns.ts';

const budget = { maxValues: 2, description: '' };

it.each([
  { what: 'a value of the set', value: 'a', set: ['a', 'other'], name: 'a' },
  { what: 'a value outside of the set', value: 'z', set: ['a', 'other'], name: 'other', reason: 'unlisted' },
  {
    what: 'a value outside, where only unknown is',
    value: 'z',
    set: ['a', 'unknown'],
    name: 'unknown',
    reason: 'unlisted',
  },
  { what: 'NULL', value: null, set: ['a', 'other', 'unknown'], name: 'unknown' },
  { what: 'NULL where only other is', value: null, set: ['a', 'other'], name: 'other' },
  { what: 'a boolean', value: true, set: ['true', 'false'], name: 'true' },
])('names $what of a closed label $name', ({ value, set, name, reason }) => {
  const reported: string[] = [];
  const read = new LabelValues().reader([], (_label, why) => reported.push(why));
  expect(read({ label: value }, { label: set })).toEqual({ label: name });
  expect(reported).toEqual(reason === undefined ? [] : [reason]);
});

it('gives the first that came a place in the budget, the rest is other', () => {
  expect(namesOf(new LabelValues(), ['b', 'a', 'c', null])).toEqual(['b', 'a', 'other', 'unknown']);
});

it('keeps the place of a present value, and reuses it when the value is gone', () => {
  const labels = new LabelValues();
  namesOf(labels, ['b', 'c']);
  expect(namesOf(labels, ['a', 'b', 'c'])).toEqual(['other', 'b', 'c']);
  expect(namesOf(labels, ['a', 'c'])).toEqual(['a', 'c']);
});

it('replaces a value that is too long, and reports it', () => {
  const reported: string[] = [];
  const long = 'x'.repeat(129);
  expect(namesOf(new LabelValues(), [long, 'a'], reported)).toEqual(['other', 'a']);
  expect(reported).toEqual(['too_long']);
});

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
    'of %j does not exist: it is never invented',
    (column) => {
      expect(numberOf(column)).toBeNaN();
    },
  );
});

function namesOf(labels: LabelValues, values: readonly unknown[], reported: string[] = []): unknown[] {
  const rows = values.map((label) => ({ label }));
  const read = labels.reader(rows, (_label, reason) => reported.push(reason));
  return rows.map((row) => read(row, { label: budget })['label']);
}

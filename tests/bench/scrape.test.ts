import { expect, test } from 'vitest';
import { valueAfter, type LoadShape } from './load-shape.ts';
import { verifyPage } from './scrape.ts';

const SHAPE: LoadShape = { kind: 'sum', series: 3, pointsPerRequest: 3 };

const page = (values: readonly number[]): string =>
  values.map((value, id) => `bench_requests_total{id="${id}",job="bench"} ${value}\n`).join('');

const after = (pass: number): number[] => [0, 1, 2].map((series) => valueAfter(pass, series));

test('a page with the last value of every series passes', () => {
  expect(() => verifyPage(page(after(7)), SHAPE, 7)).not.toThrow();
});

test.each([
  ['a series that is missing', after(7).slice(0, 2)],
  ['a series that stayed behind', after(7).with(1, valueAfter(6, 1))],
  ['an empty page', []],
])('%s fails the bench', (_, values) => {
  expect(() => verifyPage(page(values), SHAPE, 7)).toThrow('points were lost');
});

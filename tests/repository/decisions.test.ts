import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { filesBelow, readText } from './source-files.ts';

const files = filesBelow('docs/decisions', /\.md$/).toSorted();
const numberOf = (file: string): number => Number(basename(file).slice(0, 4));

it('decisions have the numbers from 1, and each number once', () => {
  expect(files.map(numberOf)).toEqual(files.map((_, i) => i + 1));
});

it.each(files)('the title of %s has its number', (file) => {
  expect(readText(file).startsWith(`# ${numberOf(file)}. `)).toBe(true);
});

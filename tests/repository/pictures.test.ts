import { readFileSync, statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { allPictures } from '../support/dashboards/all-pictures.ts';
import { consolePictures, unpicturedViews } from '../support/dashboards/console-views.ts';
import { filesBelow, ROOT } from './source-files.ts';

const PAGE = 'docs/dashboard-pictures.md';
const CONSOLE_PAGE = 'docs/console-pictures.md';

it('every dashboard is pictured in every situation and look', () => {
  const page = readFileSync(ROOT + PAGE, 'utf8');
  expect(allPictures).toHaveLength(54);
  expect(allPictures.map(({ name }) => name).filter((name) => !page.includes(`(images/all/${name}.webp)`))).toEqual([]);
});

it('every view of the console is pictured in every look', () => {
  const page = readFileSync(ROOT + CONSOLE_PAGE, 'utf8');
  expect(consolePictures).toHaveLength(33);
  const missing = consolePictures.filter(({ name }) => !page.includes(`(images/all/${name}.webp)`));
  expect(missing.map(({ name }) => name)).toEqual([]);
  expect(unpicturedViews).toEqual([]);
});

it('the pictures are small, and the package leaves out those that only a page of the repository shows', () => {
  const sizes = filesBelow('docs/images', /\.\w+$/).map((file) => statSync(ROOT + file).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(4_700_000);
  const { files } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { readonly files: readonly string[] };
  expect(files).toEqual(expect.arrayContaining(['docs', `!${PAGE}`, `!${CONSOLE_PAGE}`, '!docs/images/all']));
});

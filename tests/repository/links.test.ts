import { expect, it } from 'vitest';
import { brokenLinks } from '../support/documents/relative-links.ts';
import { filesBelow, ROOT } from './source-files.ts';

const documents = filesBelow('.', /\.md$/);

it.each(documents.map((document) => [document]))('every relative link of %s has a target', (document) => {
  expect(brokenLinks(ROOT + document)).toEqual([]);
});

/** Every example of the documentation belongs to a test. tests/README.md describes the words after the language. */
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fencedBlocks, type FencedBlock } from '../support/documents/fenced-blocks.ts';
import { EXECUTED_DOCUMENTS, isExecuted } from '../support/documents/executed-examples.ts';
import { filesBelow, readText, ROOT } from './source-files.ts';

/** Runbooks and decisions have tests of their own, or only quotations. */
const documents = filesBelow('.', /\.md$/).filter((file) => !/\/runbooks\/[A-Z]\w+\.md$|^docs\/decisions\//.test(file));

/** A drawing, and the README of a new component, which the skeleton contains. */
const NO_EXAMPLES = new Set(['', 'md']);

it.each(documents.map((document) => [document]))('every example of %s belongs to a test', (document) => {
  const untested = fencedBlocks(readText(document))
    .filter((block) => !NO_EXAMPLES.has(block.language) && !belongsToTest(document, block))
    .map(({ line, language, info }) => `${document}:${line} ${language} ${info}`);
  expect(untested).toEqual([]);
});

function belongsToTest(document: string, block: FencedBlock): boolean {
  const [, elsewhere] = /^elsewhere=(\S+)/.exec(block.info) ?? [];
  if (elsewhere !== undefined) return existsSync(ROOT + elsewhere);
  if (block.info === 'start')
    return document === 'README.md' && readText('tests/e2e/stopwatch.test.ts').includes('README.md');
  return EXECUTED_DOCUMENTS.test(document) && isExecuted(block);
}

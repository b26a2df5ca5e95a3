import { expect, it } from 'vitest';
import { ALLOWANCES } from './prose-allowances.ts';
import { filesWithProse, proseFindings, type Finding } from './prose.ts';

const findings = filesWithProse('.').flatMap(proseFindings);

const folderOf = ({ file }: Finding) =>
  ALLOWANCES.map(({ folder }) => folder)
    .filter((folder) => file === folder || file.startsWith(`${folder}/`))
    .toSorted((one, other) => other.length - one.length)[0] ?? '';

it('texts and comments avoid the patterns of tests/repository/prose-patterns.ts', () => {
  const byFolder = Map.groupBy(findings, folderOf);
  const tooMany = [...byFolder].flatMap(([folder, found]) => {
    const { texts, comments } = ALLOWANCES.find((one) => one.folder === folder) ?? { texts: 0, comments: 0 };
    const inTexts = found.filter(({ kind }) => kind === 'text');
    const inComments = found.filter(({ kind }) => kind !== 'text');
    return [...(inTexts.length > texts ? inTexts : []), ...(inComments.length > comments ? inComments : [])];
  });
  expect(tooMany.map(({ file, line, found, instead }) => `${file}:${line}: "${found}": ${instead}`)).toEqual([]);
});

it('has no allowance for a folder that needs none', () => {
  const used = new Set(findings.map(folderOf));
  expect(ALLOWANCES.map(({ folder }) => folder).filter((folder) => !used.has(folder))).toEqual([]);
});

import { expect, it } from 'vitest';
import { filesWithProse, proseFindings } from './prose.ts';

it('texts and comments avoid the patterns of tests/repository/prose-patterns.ts', { timeout: 60_000 }, () => {
  const findings = filesWithProse('.').flatMap(proseFindings);
  expect(findings.map(({ file, line, found, instead }) => `${file}:${line}: "${found}": ${instead}`)).toEqual([]);
});

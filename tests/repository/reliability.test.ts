import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { filesBelow, ROOT } from './source-files.ts';

const text = readFileSync(`${ROOT}docs/reliability.md`, 'utf8');
const tests = filesBelow('.', /\.test\.ts$/);
const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** The cells of the rows of a section's first table, without its head. */
function rowsOf(section: string): string[][] {
  const content = text.split(`\n## ${section}\n`)[1]?.split('\n## ')[0] ?? '';
  const lines = content.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const promises = rowsOf('Promises').map(([promise = '', , , test = '']) => [promise, test] as const);

it.each(promises)('the promise "%s" has a test', (_, test) => {
  expect(test).toMatch(/\.test\.ts`|`npm run /);
});

it('names only tests and scripts that exist', () => {
  const files = [...text.matchAll(/`([\w./-]+\.test\.ts)`/g)].map(([, file = '']) => file);
  const unknown = files.filter((file) => !tests.some((test) => test === file || path.basename(test) === file));
  const commands = [...text.matchAll(/`npm run ([\w:-]+)/g)].map(([, name = '']) => name);
  expect(files.length).toBeGreaterThan(10);
  expect([...unknown, ...commands.filter((name) => scripts[name] === undefined)]).toEqual([]);
});

const faults = readFileSync(`${ROOT}tests/e2e/machine-faults.test.ts`, 'utf8');

it.each(rowsOf('A machine in trouble').map(([fault = '', ...cells]) => [fault, cells] as const))(
  'the fault "%s" has a test and all five parts',
  (fault, cells) => {
    expect(cells.filter((cell) => cell !== '')).toHaveLength(5);
    const name = fault.startsWith('clock') ? 'clock' : (fault.split(',')[0] as string);
    expect(faults).toMatch(new RegExp(`name: ['\`]${name}`));
  },
);

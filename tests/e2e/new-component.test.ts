import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fencedBlocks } from '../support/documents/fenced-blocks.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const copy = mkdtempSync(path.join(tmpdir(), 'siphon-new-'));
const KINDS = ['receiver', 'processor', 'connector', 'exporter', 'extension'];

const notCopied = new Set(['node_modules', 'dist', '.git', '.siphon']);

beforeAll(async () => {
  cpSync(root, copy, { recursive: true, filter: (source) => !notCopied.has(path.basename(source)) });
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  for (const kind of KINDS) await run('npm', 'run', '--silent', 'new', '--', kind, 'new_sample');
});

afterAll(() => rmSync(copy, { recursive: true }));

it.each([
  ['the formatter', ['oxfmt', '--check']],
  ['the linter', ['oxlint', '--type-aware', 'src/components']],
  ['the compiler', ['tsc']],
  ['the search for unused code', ['knip']],
  [
    'its own, the contract and the repository tests',
    ['vitest', 'run', '--project=unit', '--project=contract', 'new-sample', 'tests/contract', 'tests/repository'],
  ],
])('a new component of each kind passes %s', async (_, command) => {
  await run('npx', '--no-install', ...command);
});

it('the component of the guide passes its own tests, the contract and the compiler', async () => {
  await run('npm', 'run', '--silent', 'new', '--', 'processor', 'drop_items');
  const folder = path.join(copy, 'src/components/processors/drop-items');
  const blocks = fencedBlocks(readFileSync(path.join(root, 'docs/adding-a-component.md'), 'utf8'));
  for (const { info, text } of blocks) {
    const [, file] = / file=(\S+)/.exec(info) ?? [];
    if (file !== undefined) writeFileSync(path.join(folder, file), text);
  }
  const readme = blocks.filter(({ language }) => ['md', 'yaml'].includes(language));
  const parts = readme.map(({ language, text }) => (language === 'md' ? text : `\`\`\`yaml\n${text}\`\`\``));
  writeFileSync(path.join(folder, 'README.md'), ['# `drop_items` processor', ...parts].join('\n\n'));
  await run('npx', '--no-install', 'tsc');
  const vitest = ['--no-install', 'vitest', 'run'];
  await run('npx', ...vitest, '--project=unit', 'processors/drop-items');
  await run('npx', ...vitest, '--project=contract', '--testNamePattern=processor drop_items');
});

it('refuses a name that exists', async () => {
  await expect(run('npm', 'run', '--silent', 'new', '--', 'processor', 'batch')).rejects.toThrow('batch exists');
});

it('refuses an unknown kind', async () => {
  await expect(run('npm', 'run', '--silent', 'new', '--', 'widget', 'sample')).rejects.toThrow('usage: npm run new');
});

/** Rejects with the output of the command. */
async function run(command: string, ...parameters: string[]): Promise<void> {
  try {
    await promisify(execFile)(command, parameters, { cwd: copy, maxBuffer: 1e7 });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${parameters.join(' ')}\n${stdout}${stderr}`, { cause: error });
  }
}

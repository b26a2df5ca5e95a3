/** Executes the examples of the documentation as a reader would, and compares the output that a page shows. */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemsOf } from '../support/documents/documented-config.ts';
import { prometheusNames } from '../support/documents/documented-names.ts';
import { EXECUTED_DOCUMENTS, isExecuted } from '../support/documents/executed-examples.ts';
import { fencedBlocks, type FencedBlock } from '../support/documents/fenced-blocks.ts';
import { missingPrograms, Reader, ReadersWorld } from '../support/documents/reader.ts';
import { shownOutput } from '../support/documents/shown-output.ts';
import { runSql } from '../support/postgres/test-postgres.ts';
import { runCommand } from '../support/processes/run-command.ts';
import { promtoolMissing } from '../support/prometheus/promtool.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const documents = globSync('{*.md,{docs,deploy,examples,src}/**/*.md}', { cwd: root })
  .filter((document) => EXECUTED_DOCUMENTS.test(document))
  .map((document) => ({ document, blocks: fencedBlocks(readFileSync(path.join(root, document), 'utf8')) }))
  .filter(({ blocks }) => blocks.some(isExecuted));

let world: ReadersWorld;
beforeAll(async () => {
  world = await ReadersWorld.create();
});
afterAll(async () => await world?.[Symbol.asyncDispose]());

describe.each(documents)('$document', ({ document, blocks }) => {
  const ofLanguage = (language: string): FencedBlock[] =>
    blocks.filter((block) => block.language === language && isExecuted(block));

  const configurations = ofLanguage('yaml');
  it.skipIf(configurations.length === 0)('has configurations that are valid', async () => {
    for (const block of configurations) expect(await configurationProblems(block)).toBe('');
  });

  it.skipIf(!configurations.some(({ text }) => text.includes('metric_name:')))('shows names in Prometheus', () => {
    for (const { text } of configurations) {
      const { shown, real } = prometheusNames(text);
      expect(shown).toEqual(real);
    }
  });

  const commands = ofLanguage('sh');
  const missing = missingPrograms(commands);
  if (missing.length > 0) process.stderr.write(`The commands of ${document} do not run: no ${missing.join(', ')}\n`);
  it.skipIf(commands.length === 0 || missing.length > 0)('has commands that print what it shows', async () => {
    await using reader = await Reader.of(document, world);
    for (const block of blocks) await writeFileOf(block, reader);
    for (const [index, block] of blocks.entries()) {
      if (!commands.includes(block)) continue;
      const output = await reader.follow(block);
      const next = blocks[index + 1];
      if (next?.language === 'text') expect(output).toMatch(shownOutput(reader.here(next.text)));
    }
  });

  const code = ofLanguage('ts');
  it.skipIf(code.length === 0)('has code that compiles', async () => {
    await using reader = await Reader.of(document, world);
    for (const block of code) await writeFileOf(block, reader);
    await reader.compile(code.map(({ info }) => info.replace('file=', '')));
  });

  const statements = ofLanguage('sql');
  it.skipIf(statements.length === 0)('has statements that the database accepts', async () => {
    for (const { text } of statements) await runSql(world.postgres.url, `begin; ${text} rollback`);
  });
});

async function writeFileOf({ info, text }: FencedBlock, reader: Reader): Promise<void> {
  const [, file] = /\bfile=(\S+)/.exec(info) ?? [];
  if (file !== undefined) await reader.write(file, text);
}

async function configurationProblems({ info, text }: FencedBlock): Promise<string> {
  if (info.startsWith('prometheus')) return await prometheusProblems(text);
  if (info.startsWith('settings')) return await settingsProblems(text);
  return await problemsOf(text);
}

/** A part of a job becomes a part of this job. */
async function prometheusProblems(text: string): Promise<string> {
  if (promtoolMissing !== undefined) return '';
  const job = `scrape_configs:\n  - job_name: siphon\n    static_configs: [{targets: ['127.0.0.1:8888']}]\n`;
  return await withFile(text.startsWith(' ') ? job + text : text, async (file) => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'config', file], { encoding: 'utf8' });
    return status === 0 ? '' : stdout + stderr;
  });
}

async function settingsProblems(text: string): Promise<string> {
  return await withFile(text, async (file) => {
    const options = ['--form', 'prometheus', '--dir', path.dirname(file), '--settings', file];
    const { exitCode, errors } = await runCommand(['dashboards', 'export', ...options]);
    return exitCode === 0 ? '' : errors;
  });
}

async function withFile(text: string, use: (file: string) => Promise<string>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'siphon-example-'));
  try {
    const file = path.join(folder, 'example.yaml');
    await writeFile(file, text);
    return await use(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

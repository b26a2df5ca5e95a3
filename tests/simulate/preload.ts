/**
 * `npm run simulate:preload`: ends processes in many ways, with and without the preload. Exit code, signal and output must be
 * the same, and the spans must arrive.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { OtlpCapture } from '../support/otlp/otlp-capture.ts';
import { endings, programOf, type Ending } from '../support/preload/endings.ts';
import { projectRoot } from '../support/processes/demo-process.ts';
import { installNode } from '../support/processes/install-node.ts';
import { InstalledProject, type Ended, type RunOptions } from '../support/processes/installed-project.ts';

const HELP = `npm run simulate:preload -- [options]

  --node VERSION   only this version of Node.js, can be repeated (default: 22.18.0, 22, 24.11.0, 24, 26)
  --only TEXT      only the endings whose names contain this text
  --write          replace the table in docs/preload.md
  --help           print this text

Installs the versions from npm. Prints the table of docs/preload.md. Exits with 0 if every run is as without the preload.
`;

const FIRST_COLUMN = 'end of the process';
const VERSIONS = ['22.18.0', '22', '24.11.0', '24', '26'];

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', multiple: true },
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

type Loading = Pick<RunOptions, 'flags' | 'environment'>;

const loadings: readonly (Loading & { readonly name: string })[] = [
  { name: '--import', flags: ['--import', 'siphon-otel/preload'] },
  { name: '-r', flags: ['-r', 'siphon-otel/preload'] },
  { name: 'NODE_OPTIONS', environment: { NODE_OPTIONS: '--import siphon-otel/preload' } },
];

if (options.help) process.stdout.write(HELP);
else await simulate(options.node ?? VERSIONS);

async function simulate(versions: readonly string[]): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'siphon-node-'));
  await using project = await InstalledProject.create();
  try {
    const nodes = await Promise.all(versions.map(async (version) => await installNode(version, folder)));
    const selected = endings.filter(({ name }) => name.includes(options.only)).filter(canRun);
    for (const ending of selected) {
      for (const format of formatsOf(ending)) await project.write(fileOf(ending, format), programOf(ending, format));
    }
    const table: string[] = [];
    const addRow = (cells: readonly string[]): void => {
      table.push(`| ${cells.join(' | ')} |`);
      process.stdout.write(`${table.at(-1)}\n`);
    };
    addRow([FIRST_COLUMN, ...versions.map((version) => `Node ${version}`)]);
    addRow(['---', ...versions.map(() => '---')]);
    const differences: string[] = [];
    for (const ending of selected) {
      const cells: string[] = [];
      for (const [index, node] of nodes.entries()) {
        const found = await differencesOf(project, ending, node);
        differences.push(...found.different.map((text) => `Node ${versions[index] ?? ''}: ${ending.name}: ${text}`));
        cells.push(`${found.runs - found.different.length} of ${found.runs}`);
      }
      addRow([ending.name, ...cells]);
    }
    if (options.write) await writeTable(table);
    process.stdout.write(differences.length === 0 ? '' : `\n${differences.join('\n')}\n`);
    process.exitCode = differences.length === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function canRun({ name, isFirstProcess = false }: Ending): boolean {
  if (!isFirstProcess || process.getuid?.() === 0) return true;
  process.stderr.write(`${name}: left out, only root can create a namespace of processes\n`);
  return false;
}

async function differencesOf(project: InstalledProject, ending: Ending, node: string) {
  const different: string[] = [];
  let runs = 0;
  for (const format of formatsOf(ending)) {
    const bare = visible(await runOnce(project, ending, format, { node }));
    for (const { name, ...loading } of loadings) {
      await using capture = await OtlpCapture.start();
      const environment = {
        ...loading.environment,
        OTEL_EXPORTER_OTLP_ENDPOINT: capture.url,
        SIPHON_FLUSH_TIMEOUT_MS: '8000',
      };
      const observed = visible(await runOnce(project, ending, format, { node, ...loading, environment }));
      const spans = new Set(capture.spans().map(({ span_id: id }) => id)).size;
      runs++;
      if (observed !== bare) different.push(`${format} with ${name}: ${observed} instead of ${bare}`);
      else if (ending.keepsSpans && spans < 2) different.push(`${format} with ${name}: ${spans} spans`);
    }
  }
  return { different, runs };
}

async function runOnce(
  project: InstalledProject,
  ending: Ending,
  format: 'cjs' | 'mjs',
  run: RunOptions,
): Promise<Ended> {
  const { signal, isFirstProcess = false } = ending;
  const { node = process.execPath, flags = [] } = run;
  const start = isFirstProcess ? { node: 'unshare', flags: ['--pid', '--fork', node, ...flags] } : {};
  return await project.run(fileOf(ending, format), {
    ...run,
    ...start,
    onLine: (line, kill) => {
      if (line === 'ready' && signal !== undefined) kill(signal);
    },
  });
}

/** The visible part of the end, without the frames of stacks: those of the preload are among them. */
function visible({ code, signal, lines, stderr }: Ended): string {
  const errors = stderr.split('\n').filter((line) => /^\S*Error|siphon-otel/.test(line) && !line.startsWith('    at'));
  return JSON.stringify({ code, signal, lines, errors });
}

function formatsOf({ moduleOnly = false }: Ending): readonly ('cjs' | 'mjs')[] {
  return moduleOnly ? ['mjs'] : ['cjs', 'mjs'];
}

function fileOf({ name }: Ending, format: string): string {
  return `end-${name.replaceAll(/\W+/g, '-')}.${format}`;
}

/** Replaces the table with this first column. */
async function writeTable(table: readonly string[]): Promise<void> {
  const document = path.join(projectRoot, 'docs/preload.md');
  const text = await readFile(document, 'utf8');
  const [former] = new RegExp(String.raw`^\| ${FIRST_COLUMN} \|[^\n]*(?:\n\|[^\n]*)*`, 'm').exec(text) ?? [];
  if (former === undefined) throw new Error(`${document} has no table of the ends of a process`);
  await writeFile(
    document,
    text.replace(former, () => table.join('\n')),
  );
}

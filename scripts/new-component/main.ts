/** `npm run new -- KIND NAME`: writes the skeleton of a component and registers it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { componentNames, isKind, KINDS } from './names.ts';
import { listInReadme, register } from './register.ts';
import { skeleton } from './skeleton.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [kind = '', name = ''] = process.argv.slice(2);

if (!isKind(kind) || !/^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$/.test(name)) {
  fail(`usage: npm run new -- ${KINDS.join('|')} NAME, with a NAME such as filter or span_metrics`);
}
const names = componentNames(kind, name);
const folder = path.join(root, names.folder);
if (existsSync(folder)) fail(`${names.folder} exists`);

mkdirSync(folder, { recursive: true });
for (const [file, text] of Object.entries(skeleton(names))) writeFileSync(path.join(folder, file), text);
edit('src/components/index.ts', (text) => register(text, names));
edit('README.md', (text) => listInReadme(text, names));
execFileSync('npm', ['run', '--silent', 'fmt'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });

process.stdout.write(`${names.folder} is ready and registered. Next:
  1. describe the options in config.ts and README.md, and write the component and its test
  2. npx vitest run --project unit --project contract ${names.folder} tests/contract
  3. fill in the row in the table of README.md, and add a line to CHANGELOG.md
  4. if the stock Collector has a component of this name: add a row to docs/compatibility.md for each difference
docs/adding-a-component.md explains each step.
`);

function edit(file: string, change: (text: string) => string): void {
  const target = path.join(root, file);
  writeFileSync(target, change(readFileSync(target, 'utf8')));
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

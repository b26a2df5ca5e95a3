/** `npm run generate`: writes `dashboards/`, docs/metrics.md and the list of runbooks; `--check` only lists outdated files. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from './generated-files.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const files = await generatedFiles();
const changed = [...files].filter(([name, text]) => read(name) !== text).map(([name]) => name);
const leftOver = existing('dashboards').filter((name) => !files.has(name));

if (!process.argv.includes('--check')) {
  for (const name of leftOver) rmSync(path.join(root, name));
  for (const name of changed) write(name, files.get(name) ?? '');
} else if (changed.length + leftOver.length > 0) {
  const names = [...changed, ...leftOver].join(', ');
  process.stderr.write(`out of date: ${names}; run npm run generate\n`);
  process.exitCode = 1;
}

function read(name: string): string | undefined {
  try {
    return readFileSync(path.join(root, name), 'utf8');
  } catch {
    return undefined;
  }
}

function write(name: string, text: string): void {
  const file = path.join(root, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function existing(folder: string): string[] {
  try {
    return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
  } catch {
    return [];
  }
}

import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'rolldown/utils';

/** The root of the repository, with a slash at the end. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Import {
  readonly from: string;
  /** A path from the root of the repository, or the name of a package as it is imported. */
  readonly to: string;
}

const NOT_OURS = new Set(['node_modules', 'dist', '.git', 'fixtures']);

/** The files below a folder whose names end as asked, as paths from the root of the repository. */
export function filesBelow(folder: string, ending: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : filesBelow(path, ending);
    return ending.test(entry.name) ? [path] : [];
  });
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Every import and re-export of a source file, types included. */
export function importsOf(from: string): Import[] {
  const text = readText(from);
  const { module } = parseSync(from, text);
  const named = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest?.value)),
    // Dynamic imports, and types written as import('…').
    ...Array.from(text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g), ([, name]) => name),
  ];
  return [...new Set(named)]
    .filter((name) => name !== undefined)
    .map((name) => ({ from, to: name.startsWith('.') ? join(dirname(from), name) : name }));
}

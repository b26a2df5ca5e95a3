import { KINDS, type ComponentNames, type Kind } from './names.ts';

/** Adds the factory to `src/components/index.ts`: the import in order of paths, the factory after those of its kind. */
export function register(index: string, { kind, folder, factory }: ComponentNames): string {
  const lines = index.split('\n');
  const path = `./${folder.replace('src/components/', '')}/factory.ts`;
  const before = lines.findLastIndex((line) => (pathIn(line) ?? '~') < path);
  lines.splice(before === -1 ? 1 : before + 1, 0, `import { ${factory} } from '${path}';`);

  lines.splice(lastOfKind(lines, kind, isEntryOf) + 1, 0, `  ${factory},`);
  return lines.join('\n');
}

/** Adds a row to the table of components after those of the same kind. */
export function listInReadme(readme: string, { kind, type, folder }: ComponentNames): string {
  const lines = readme.split('\n');
  lines.splice(
    lastOfKind(lines, kind, isRowOf) + 1,
    0,
    `| ${kind} | [\`${type}\`](${folder}/README.md) | in development |`,
  );
  return lines.join('\n');
}

const pathIn = (line: string) => /^import .* from '(\.\/[^']+)';/.exec(line)?.[1];

const isEntryOf = (kind: Kind) => (line: string) => new RegExp(`^  \\w+${kind}(?:\\(.*\\))?,$`, 'i').test(line);

const isRowOf = (kind: Kind) => (line: string) => line.startsWith(`| ${kind} |`);

/** The last line about this kind, or about the kind before it if it has none. */
function lastOfKind(lines: readonly string[], kind: Kind, matches: (kind: Kind) => (line: string) => boolean): number {
  for (const one of KINDS.slice(0, KINDS.indexOf(kind) + 1).toReversed()) {
    const last = lines.findLastIndex(matches(one));
    if (last !== -1) return last;
  }
  throw new Error(`no line about a ${kind}`);
}

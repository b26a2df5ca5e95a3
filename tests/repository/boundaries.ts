import { readText, type Import } from './source-files.ts';

/** One row of the table of folders in docs/architecture.md. */
export interface Boundary {
  /** A folder, or a file if it ends in `.ts`. `*` is one name, `**` any number of them. */
  readonly pattern: string;
  /** Allowed targets of its files' imports, besides each other. A `*` repeats the name that the pattern's `*` matched. */
  readonly mayImport: readonly string[];
  /** Packages that only the rows that list them may import. */
  readonly packages: readonly string[];
}

export function readBoundaries(): Boundary[] {
  const document = readText('docs/architecture.md');
  const start = document.indexOf('| folder |');
  const rows = document.slice(start, document.indexOf('\n\n', start)).split('\n').slice(2);
  return rows.map((row) => {
    const [, folder = '', , others = '', packages = ''] = row.split('|');
    return { pattern: codeIn(folder)[0] ?? '', mayImport: codeIn(others), packages: codeIn(packages) };
  });
}

/** The most specific row that matches: a file before a folder, then the longest pattern. */
export function boundaryOf(boundaries: readonly Boundary[], file: string): Boundary | undefined {
  const rank = ({ pattern }: Boundary) => (pattern.endsWith('.ts') ? 1000 : 0) + pattern.length;
  return boundaries
    .filter(({ pattern }) => matcher(pattern).test(file))
    .toSorted((one, other) => rank(other) - rank(one))[0];
}

export function allows({ pattern, mayImport: others }: Boundary, { from, to }: Import): boolean {
  const [matched = '', ...names] = matcher(pattern).exec(from) ?? [];
  const own = pattern.endsWith('.ts') ? from : matched;
  const allowed = others.map((other) => {
    const left = [...names];
    return other.replaceAll('*', () => left.shift() ?? '*');
  });
  return [own, ...allowed].some((path) => matcher(path).test(to));
}

function codeIn(cell: string): string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, code = '']) => code.replace(/\/$/, ''));
}

const matchers = new Map<string, RegExp>();

function matcher(pattern: string): RegExp {
  const known = matchers.get(pattern) ?? createMatcher(pattern);
  matchers.set(pattern, known);
  return known;
}

function createMatcher(pattern: string): RegExp {
  const source = pattern
    .replaceAll('.', String.raw`\.`)
    .split('**/')
    .map((part) => part.replaceAll('*', '([^/]+)'))
    .join('(?:.+/)?');
  return new RegExp(`^${source}${pattern.endsWith('.ts') ? '$' : '(?=/)'}`);
}

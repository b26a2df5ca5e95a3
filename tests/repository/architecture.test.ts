import { existsSync } from 'node:fs';
import { dirname } from 'node:path/posix';
import { describe, expect, it } from 'vitest';
import { allows, boundaryOf, readBoundaries } from './boundaries.ts';
import { cyclesIn } from './cycles.ts';
import { filesBelow, importsOf, ROOT } from './source-files.ts';

/** Files that only tests import. */
const FOR_TESTS = /(?:\.test|-under-test)\.ts$/;

const boundaries = readBoundaries();
const files = ['src', 'examples', 'scripts', 'tests'].flatMap((folder) => filesBelow(folder, /\.m?ts$/));
const imports = files.flatMap(importsOf);
const isOurs = (path: string) => /^(?:src|examples|scripts|tests)\//.test(path);

describe('the table of folders in docs/architecture.md', () => {
  it('has a row for every file', () => {
    expect(files.filter((file) => boundaryOf(boundaries, file) === undefined)).toEqual([]);
  });

  it('names only folders and files that exist', () => {
    const named = boundaries.flatMap(({ pattern, mayImport: others }) => [pattern, ...others]);
    expect(named.filter((path) => !path.includes('*') && !existsSync(ROOT + path))).toEqual([]);
    const unused = boundaries.filter((row) => !files.some((file) => boundaryOf(boundaries, file) === row));
    expect(unused.map(({ pattern }) => pattern)).toEqual([]);
  });

  it('allows every import', () => {
    const forbidden = imports
      .filter((one) => isOurs(one.to))
      .filter((one) => {
        const row = boundaryOf(boundaries, one.from);
        return row !== undefined && !allows(row, one);
      });
    expect(forbidden.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  it('allows every import of a package that it reserves', () => {
    const reserved = boundaries.flatMap(({ packages }) => packages);
    const forbidden = imports.filter(({ from, to }) => {
      const name = reserved.find((one) => to === one || to.startsWith(`${one}/`));
      const row = boundaryOf(boundaries, from);
      return name !== undefined && from.startsWith('src/') && !FOR_TESTS.test(from) && !row?.packages.includes(name);
    });
    expect(forbidden.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });
});

it('no file imports a test', () => {
  const forbidden = imports.filter(({ from, to }) => FOR_TESTS.test(to) && !FOR_TESTS.test(from));
  expect(forbidden).toEqual([]);
});

it('no files and no folders import each other in a cycle', () => {
  const inProgram = imports.filter(({ from, to }) => isOurs(to) && !FOR_TESTS.test(from));
  const folders = new Set(['', ...files.flatMap(ancestors)]);
  const cycles = new Map(
    [...folders]
      .map((folder) => [folder, cyclesIn(folder, inProgram)] as const)
      .filter(([, found]) => found.length > 0),
  );
  expect(
    [...cycles].map(([folder, found]) => `${folder}: ${found.map((names) => names.join(', ')).join('; ')}`),
  ).toEqual([]);
});

function ancestors(path: string): string[] {
  const folder = dirname(path);
  return folder === '.' ? [] : [folder, ...ancestors(folder)];
}

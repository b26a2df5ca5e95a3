/** A yes in docs/postgres-compared.md is a promise: the last column names tests that exist. */
import { expect, it } from 'vitest';
import { filesBelow, readText } from './source-files.ts';

const POLLER_TESTS = filesBelow('tests/integration', /\.test\.ts$/).filter((file) => /db-poller|pgbouncer/.test(file));
const FILES = new Set(POLLER_TESTS.map((file) => file.split('/').at(-1)));
const TITLES = POLLER_TESTS.flatMap((file) =>
  [...readText(file).matchAll(/\bit(?:\.\w+\([^)]*\))*\(\s*['`]([^'`]+)['`]/g)].map(([, title]) => title!),
);

interface Line {
  readonly value: string;
  readonly siphon: string;
  /** Parts of the titles of tests, and names of files. */
  readonly tests: readonly string[];
}

const lines: Line[] = readText('docs/postgres-compared.md')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => line.split(/\s*\|\s*/).slice(1, -1))
  .map(([value = '', , , , siphon = '', tests = '']) => ({ value, siphon, tests: tests.split('; ').filter(Boolean) }));

/** A title alone could promise more than its test compares. */
it('each metric of postgres_health is compared with a value by a test', () => {
  const groups = filesBelow('src/packs/postgres-health/groups', /\.ts$/).map(readText);
  const names = groups.flatMap((text) =>
    [...text.matchAll(/\b(?:gauge|counter)\(\s*'([\w.]+)'/g)].map(([, name]) => name!),
  );
  expect(names.length).toBeGreaterThan(70);
  const tests = POLLER_TESTS.map(readText).join('\n');
  const isCompared = (name: string): boolean => tests.includes(`${name}{`) || tests.includes(`(poller, '${name}')`);
  expect(names.filter((name) => !isCompared(name))).toEqual([]);
});

it.each(lines)('$value: $siphon', ({ siphon, tests }) => {
  if (!/^(?:no|untested)\b/.test(siphon)) expect(tests).not.toEqual([]);
  const missing = tests.filter((test) =>
    test.startsWith('`') ? !FILES.has(test.slice(1, -1)) : !TITLES.some((title) => title.includes(test)),
  );
  expect(missing).toEqual([]);
});

import { expect, it } from 'vitest';
import { readText } from './source-files.ts';

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly integrity?: string; readonly link?: boolean }>>;
}

it('package-lock.json has an integrity hash for every package', () => {
  const { packages } = JSON.parse(readText('package-lock.json')) as LockFile;
  const unprotected = Object.entries(packages).filter(
    ([path, { integrity = '', link }]) => path !== '' && link !== true && !integrity.startsWith('sha512-'),
  );
  // If npm left some out: remove these entries and run `npm install --package-lock-only`.
  expect(unprotected.map(([path]) => path)).toEqual([]);
});

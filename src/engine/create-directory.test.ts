import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDirectory } from './create-directory.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'siphon-directory-'));
});
afterAll(async () => await rm(root, { recursive: true, force: true }));

it('creates all levels with the mode, and accepts existing ones', async () => {
  const directory = path.join(root, 'a', 'b', 'c');
  await createDirectory(directory, 0o700);
  await createDirectory(directory, 0o755);
  for (const level of [directory, path.dirname(directory)]) expect((await stat(level)).mode & 0o777).toBe(0o700);
  await Promise.all(Array.from({ length: 20 }, async () => await createDirectory(path.join(root, 'd', 'e', 'f'))));
});

it.skipIf(process.platform !== 'linux').each(['/proc/nope', '/proc/nope/a/b', '/sys/nope'])(
  'fails immediately for %s, which the system does not create',
  async (directory) => {
    await expect(createDirectory(directory)).rejects.toThrow(`${directory} cannot be created: `);
  },
  1000,
);

it('fails below a file and at the end of a broken link', async () => {
  await writeFile(path.join(root, 'file'), '');
  await symlink(path.join(root, 'missing', 'target'), path.join(root, 'link'));
  for (const name of ['file', 'file/a/b', 'link', 'link/a', 'x'.repeat(300), 'nul\0'])
    await expect(createDirectory(path.join(root, name)), name).rejects.toThrow(`cannot be created: `);
});

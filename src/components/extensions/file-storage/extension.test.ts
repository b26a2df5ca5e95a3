import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import type { Component, Host } from '../../../engine/component.ts';
import type { Storage } from '../../../engine/storage.ts';
import { fileStorageConfig, idleKeys } from './config.ts';
import { fileStorageExtension } from './factory.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { findingsOf } from '../../../../tests/support/components/findings.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { bytes, storageContract } from '../../../../tests/support/components/storage-contract.ts';
import { waitFor } from '../../../../tests/support/wait-for.ts';

const owner = { kind: 'receiver', id: 'db_poller' } as const;
const FILE = 'receiver.db_poller.sqlite';

async function fileStorage(keys: Record<string, unknown> = {}) {
  const directory =
    (keys['directory'] as string | undefined) ?? (await mkdtemp(path.join(tmpdir(), 'siphon-storage-')));
  const { settings, lines, page } = componentSettings('extension', 'file_storage');
  const config = v.parse(fileStorageConfig, { directory, timeout: '100ms', ...keys });
  const storage = fileStorageExtension.create(settings, config) as Component & Storage;
  const degraded = new Map<Component, string>();
  const host: Host = {
    ...hostWith(),
    reportDegraded: (component, reason) =>
      void (reason === undefined ? degraded.delete(component) : degraded.set(component, reason)),
  };
  await storage.start(host);
  const close = async (): Promise<void> => await storage.shutdown(AbortSignal.timeout(1000));
  const remove = async (): Promise<void> => {
    await close();
    await rm(directory, { recursive: true, force: true });
  };
  return { storage, directory, lines, page, close, degraded, [Symbol.asyncDispose]: remove };
}

describe('the storage in files', () => {
  storageContract(fileStorage);
});

it('finds again what was kept before a restart', async () => {
  await using before = await fileStorage();
  await (await before.storage.space(owner)).write(new Map([['position', bytes('42')]]));
  await before.close();
  await using after = await fileStorage({ directory: before.directory, fsync: true, compaction: { on_start: true } });
  expect((await (await after.storage.space(owner)).get(['position'])).get('position')).toEqual(bytes('42'));
});

it('renames a corrupt file, logs and counts that, and creates a new one', async () => {
  await using before = await fileStorage();
  await (await before.storage.space(owner)).write(new Map([['a', bytes('1')]]));
  await before.close();
  const { directory } = before;
  await writeFile(path.join(directory, FILE), 'this is not a database at all'.repeat(1000));
  await using after = await fileStorage({ directory });
  const space = await after.storage.space(owner);
  expect((await space.get(['a'])).size).toBe(0);
  await space.write(new Map([['a', bytes('2')]]));
  const aside = (await readdir(directory)).filter((name) => name.startsWith(`${FILE}.corrupt-`));
  expect(aside).toHaveLength(1);
  expect(await readFile(path.join(directory, aside[0]!), 'utf8')).toMatch(/^this is not a database/);
  expect(after.lines).toMatchObject([{ level: 50, setAsideAs: path.join(directory, aside[0]!) }]);
  expect(await after.page()).toMatch(/siphon_file_storage_set_aside_files\{[^}]*\} 1\n/);
});

it('notices a file whose pages went bad, though its beginning is sound', async () => {
  await using before = await fileStorage();
  const space = await before.storage.space(owner);
  await space.write(new Map(Array.from({ length: 5000 }, (_, i) => [`key ${i}`, bytes('x'.repeat(50))])));
  await before.close();
  const file = path.join(before.directory, FILE);
  const content = await readFile(file);
  await writeFile(file, content.fill(0x7f, 20_000, 60_000));
  await using after = await fileStorage({ directory: before.directory });
  await after.storage.space(owner);
  expect(await after.page()).toMatch(/siphon_file_storage_set_aside_files\{[^}]*\} 1\n/);
});

it('leaves a corrupt file where it is if recreate is false', async () => {
  await using opened = await fileStorage({ recreate: false });
  await writeFile(path.join(opened.directory, FILE), 'broken'.repeat(1000));
  await expect(opened.storage.space(owner)).rejects.toMatchObject({ reason: 'corrupt' });
  expect(await readdir(opened.directory)).toEqual([FILE]);
});

it('refuses what would not fit, changes nothing then, and works on', async () => {
  await using opened = await fileStorage({ max_size_mib: 1 });
  const space = await opened.storage.space(owner);
  await space.write(new Map([['a', bytes('1')]]));
  const tooMuch = new Map([['a', bytes('2')], ...Array.from({ length: 20 }, (_, i) => [`${i}`, new Uint8Array(100_000)] as const)]); // prettier-ignore
  await expect(space.write(tooMuch)).rejects.toMatchObject({ reason: 'full', message: /max_size_mib/ });
  expect([...(await space.get([...tooMuch.keys()]))]).toEqual([['a', bytes('1')]]);
  await space.write(new Map([['a', bytes('3')]]));
  expect((await space.get(['a'])).get('a')).toEqual(bytes('3'));
  expect(await opened.page()).toMatch(/siphon_file_storage_errors\{[^}]*reason="full"[^}]*\} 1\n/);
});

it('refuses a second siphon on the same file, and lets it in once the first has ended', async () => {
  await using first = await fileStorage();
  await (await first.storage.space(owner)).write(new Map([['a', bytes('1')]]));
  await using second = await fileStorage({ directory: first.directory });
  const refused = { reason: 'locked', message: expect.stringContaining('a directory of its own') as string };
  await expect(second.storage.space(owner)).rejects.toMatchObject(refused);
  await using patient = await fileStorage({ directory: first.directory, timeout: '10s' });
  const waiting = patient.storage.space(owner);
  await first.close();
  expect((await (await waiting).get(['a'])).size).toBe(1);
});

it('starts without its directory, reports that, and works as soon as the directory exists', async () => {
  await using parent = await fileStorage();
  const directory = path.join(parent.directory, 'a', 'b');
  await using missing = await fileStorage({ directory });
  const message = expect.stringMatching(/b does not exist; create it, or set create_directory/) as string;
  expect([...missing.degraded.values()]).toEqual([message]);
  for (let i = 0; i < 2; i++)
    await expect(missing.storage.space(owner)).rejects.toMatchObject({ reason: 'unwritable', message });
  expect(missing.lines.filter(({ level }) => Number(level) >= 40)).toHaveLength(1);
  expect(await missing.page()).toMatch(/siphon_file_storage_errors\{.*reason="unwritable".*\} 2/);
  await mkdir(directory, { recursive: true });
  expect((await (await missing.storage.space(owner)).get(['a'])).size).toBe(0);
  expect(missing.degraded.size).toBe(0);
});

it('creates a missing directory with create_directory', async () => {
  await using parent = await fileStorage();
  const directory = path.join(parent.directory, 'a', 'b');
  await using made = await fileStorage({ directory, create_directory: true, directory_permissions: '0700' });
  expect((await stat(made.directory)).mode & 0o777).toBe(0o700);
  await made.storage.space(owner);
  expect((await stat(path.join(made.directory, FILE))).mode & 0o777).toBe(0o600);
});

it('names a directory that is a file', async () => {
  await using parent = await fileStorage();
  await writeFile(path.join(parent.directory, 'file'), '');
  await using opened = await fileStorage({ directory: path.join(parent.directory, 'file') });
  expect([...opened.degraded.values()]).toEqual([expect.stringContaining('is not a directory')]);
});

it.skipIf(process.platform !== 'linux')(
  'notices immediately a path that cannot contain it, at the start and in doctor',
  async () => {
    const config = { directory: '/proc/nope', create_directory: true };
    const { degraded, close } = await fileStorage(config);
    expect([...degraded.values()]).toEqual([expect.stringContaining('directory: /proc/nope cannot be created: ')]);
    await close();
    expect(await findingsOf(fileStorageExtension, config)).toEqual([
      { severity: 'error', what: 'directory: /proc/nope cannot contain files' },
    ]);
  },
  1000,
);

it('suggests a fix if a file cannot be written', async () => {
  await using opened = await fileStorage();
  await mkdir(path.join(opened.directory, FILE));
  const unwritable = { reason: 'unwritable', message: expect.stringContaining('permissions') as string };
  await expect(opened.storage.space(owner)).rejects.toMatchObject(unwritable);
  await rm(path.join(opened.directory, FILE), { recursive: true });
  expect((await (await opened.storage.space(owner)).get(['a'])).size).toBe(0);
});

it('gives space back when a file that had grown holds little', async () => {
  const compaction = { on_rebound: true, rebound_needed_threshold_mib: 2, check_interval: '20ms' };
  await using opened = await fileStorage({ compaction });
  const space = await opened.storage.space(owner);
  const big = new Uint8Array(100_000);
  await space.write(new Map(Array.from({ length: 200 }, (_, i) => [`big/${i}`, big])));
  await space.write(new Map([['small', bytes('1')]]));
  await space.clear('big/');
  const file = path.join(opened.directory, FILE);
  await waitFor(async () => (await stat(file)).size < 100_000, { what: 'a small file' });
  expect((await space.get(['small'])).size).toBe(1);
});

it('does not leave its directory, whatever a component is called', async () => {
  await using opened = await fileStorage();
  await opened.storage.space({ kind: 'receiver', id: '../../a/b\u0000.ü', name: '..' });
  expect((await readdir(opened.directory)).filter((name) => name.endsWith('.sqlite'))).toEqual([
    'receiver.%2E%2E%2F%2E%2E%2Fa%2Fb%00%2E%C3BC.%2E%2E.sqlite',
  ]);
});

it.each([
  [{ directory: '' }, 'directory'],
  [{ directory_permissions: '999' }, 'directory_permissions'],
  [{ compaction: { max_transaction_size: -5 } }, 'compaction.max_transaction_size'],
  [{ timeout: 0 }, 'timeout'],
])('refuses %j', (keys, at) => {
  const { issues } = v.safeParse(fileStorageConfig, keys);
  expect(issues?.map((issue) => v.getDotPath(issue))).toContain(at);
});

it('does not show the warning that SQLite is experimental in Node', async () => {
  const script = `const { sqlite } = await import('./src/components/extensions/file-storage/sqlite.ts'); sqlite(); process.emitWarning('kept');`;
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  expect(stderr).not.toContain('SQLite');
  expect(stderr).toContain('kept');
});

it('is looked at by siphon doctor without making anything', async () => {
  await using storage = await fileStorage();
  const { directory } = storage;
  const inside = path.join(directory, 'a', 'b');
  const file = path.join(directory, 'file');
  await writeFile(file, '');
  const fits = { severity: 'ok', what: expect.stringMatching(/ is writable and has \d+ MiB free$/) };
  expect(await findingsOf(fileStorageExtension, { directory, max_size_mib: 1 })).toMatchObject([fits]);
  expect(await findingsOf(fileStorageExtension, { directory, max_size_mib: 2 ** 40 })).toMatchObject([
    { severity: 'warning', what: expect.stringMatching(/has only \d+ MiB free, but each file may need/) },
  ]);
  expect(await findingsOf(fileStorageExtension, { directory: inside })).toMatchObject([
    { severity: 'error', what: expect.stringContaining('does not exist; create it, or set create_directory') },
  ]);
  expect(
    await findingsOf(fileStorageExtension, { directory: inside, create_directory: true, max_size_mib: 1 }),
  ).toMatchObject([fits]);
  expect(await findingsOf(fileStorageExtension, { directory: file })).toMatchObject([
    { severity: 'error', what: expect.stringContaining('is not a directory') },
  ]);
  expect(await readdir(directory)).not.toContain('a');
});

it('has defaults, and accepts the keys of another format without effect', () => {
  expect(v.parse(fileStorageConfig, null).directory).toBe('/var/lib/otelcol/file_storage');
  const compaction = { directory: '/tmp', max_transaction_size: 1024, cleanup_on_start: true };
  expect(idleKeys(v.parse(fileStorageConfig, { compaction }))).toEqual({
    'compaction::directory': true,
    'compaction::max_transaction_size': true,
    'compaction::cleanup_on_start': true,
  });
});

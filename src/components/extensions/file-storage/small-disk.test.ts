/** On a real file system without room. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import type { Component } from '../../../engine/component.ts';
import type { Storage, StorageSpace } from '../../../engine/storage.ts';
import { fileStorageConfig } from './config.ts';
import { fileStorageExtension } from './factory.ts';

const disk = mkdtempSync(path.join(tmpdir(), 'siphon-small-disk-'));
const run = (...command: string[]): boolean => spawnSync(command[0]!, command.slice(1)).status === 0;
const mount = (): boolean => run('mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk);
/** Only root can mount a disk of its own. */
const canMount = process.getuid?.() === 0 && mount() && run('umount', disk);

const owner = { kind: 'exporter', id: 'telemetry_store' } as const;

async function opened(): Promise<AsyncDisposable & { space: StorageSpace; page: () => Promise<string> }> {
  const { settings, page } = componentSettings('extension', 'file_storage');
  const extension = fileStorageExtension.create(settings, v.parse(fileStorageConfig, { directory: disk }));
  await extension.start(hostWith());
  const space = await (extension as Component & Storage).space(owner);
  return { space, page, [Symbol.asyncDispose]: async () => await extension.shutdown(AbortSignal.timeout(1000)) };
}

function usedBytes(): number {
  const { blocks, bfree, bsize } = statfsSync(disk);
  return (blocks - bfree) * bsize;
}

describe.skipIf(!canMount)('a disk of 2 MiB', () => {
  beforeEach(() => void mount());
  afterEach(() => void run('umount', disk));

  it('is as empty as before after a write for which it has no room, which is counted', async () => {
    await using storage = await opened();
    await storage.space.write(new Map([['kept', Buffer.from('1')]]));
    const tooMuch = new Map([['a', randomBytes(8_000_000)]]);
    await expect(storage.space.write(tooMuch)).rejects.toMatchObject({ reason: 'full' });
    expect(usedBytes()).toBeLessThan(200_000);
    expect((await storage.space.get(['kept'])).get('kept')).toEqual(new Uint8Array(Buffer.from('1')));
    expect(await storage.page()).toMatch(/siphon_file_storage_errors\{[^}]*reason="full"[^}]*\} 1\n/);
  });

  it('has room again when everything was forgotten that fitted', async () => {
    await using storage = await opened();
    const fill = async (): Promise<void> => {
      for (let number = 0; number < 100; number++)
        await storage.space.write(new Map([[`segment ${number}`, randomBytes(100_000)]]));
    };
    await expect(fill()).rejects.toMatchObject({ reason: 'full' });
    const shown = Number(/siphon_file_storage_size_bytes\{.*\} (\d+)/.exec(await storage.page())?.[1]);
    expect(Math.abs(shown - usedBytes()), 'the size counts the log').toBeLessThan(50_000);
    await storage.space.clear('');
    expect(usedBytes()).toBeLessThan(200_000);
    await storage.space.write(new Map([['a', randomBytes(500_000)]]));
  });
});

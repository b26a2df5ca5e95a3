import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import type { Component } from '../../src/engine/component.ts';
import type { Storage } from '../../src/engine/storage.ts';
import { fileStorageConfig } from '../../src/components/extensions/file-storage/config.ts';
import { fileStorageExtension } from '../../src/components/extensions/file-storage/factory.ts';
import { componentSettings } from '../support/components/component-settings.ts';
import { hostWith } from '../support/components/host-with.ts';

const writer = fileURLToPath(new URL('../support/processes/storage-writer-process.ts', import.meta.url));
const KEYS = Array.from({ length: 300 }, (_, i) => String(i));
const KILLS = 20;

it('keeps writes atomic, and every confirmed one, however often the process is killed', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'siphon-kill-'));
  try {
    let last = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const confirmed = await writeUntilKilled(directory);
      const rounds = await keptRounds(directory);
      expect(rounds.size, 'every key is of one round').toBe(1);
      const [kept = Number.NaN] = rounds;
      expect(kept).toBeGreaterThanOrEqual(confirmed);
      expect(kept).toBeGreaterThan(last);
      last = kept;
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

/** Resolves with the last round that the writer confirmed. */
async function writeUntilKilled(directory: string): Promise<number> {
  const child = spawn(process.execPath, [writer, directory, String(KEYS.length)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child.stdout, 'data');
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
  child.kill('SIGKILL');
  await once(child, 'close');
  return Number(output.trimEnd().split('\n').at(-1));
}

async function keptRounds(directory: string): Promise<Set<number>> {
  const { settings, lines } = componentSettings('extension', 'file_storage');
  const storage = fileStorageExtension.create(settings, v.parse(fileStorageConfig, { directory })) as Component &
    Storage;
  await storage.start(hostWith());
  const space = await storage.space({ kind: 'receiver', id: 'killed' });
  const kept = await space.get(KEYS);
  await storage.shutdown(AbortSignal.timeout(1000));
  expect(lines).toEqual([]);
  expect(kept.size).toBe(KEYS.length);
  return new Set([...kept.values()].map((value) => Number(new TextDecoder().decode(value))));
}

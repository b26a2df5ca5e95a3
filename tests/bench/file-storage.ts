/** Measures how long a write of 2,000 keys to `file_storage` takes: `node tests/bench/file-storage.ts [rounds]`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import type { Component } from '../../src/engine/component.ts';
import type { Storage } from '../../src/engine/storage.ts';
import { fileStorageConfig } from '../../src/components/extensions/file-storage/config.ts';
import { fileStorageExtension } from '../../src/components/extensions/file-storage/factory.ts';
import { componentSettings } from '../support/components/component-settings.ts';
import { hostWith } from '../support/components/host-with.ts';
import { median, quantile } from './median.ts';

const KEYS = 2000;
const rounds = Number(process.argv[2] ?? 200);
const directory = await mkdtemp(path.join(tmpdir(), 'siphon-bench-'));
for (const fsync of [false, true]) {
  const { settings } = componentSettings('extension', 'file_storage');
  const config = v.parse(fileStorageConfig, { directory, fsync });
  const storage = fileStorageExtension.create(settings, config) as Component & Storage;
  await storage.start(hostWith());
  const space = await storage.space({ kind: 'receiver', id: `fsync-${fsync}` });
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const keys = Array.from({ length: KEYS }, (_, i) => [`finished/${round * KEYS + i}`, new Uint8Array(1)] as const);
    const startedAt = performance.now();
    await space.write(new Map(keys));
    times.push(performance.now() - startedAt);
  }
  const [half, most, longest] = [median(times), quantile(times, 0.95), Math.max(...times)].map((ms) => ms.toFixed(1));
  process.stdout.write(`fsync ${fsync}: ${KEYS} new keys in ${half} ms (95 %: ${most} ms, longest: ${longest} ms)\n`);
  await storage.shutdown(AbortSignal.timeout(1000));
}
await rm(directory, { recursive: true });

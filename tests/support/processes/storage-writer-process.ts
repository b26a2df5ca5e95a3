/** Writes every key of a space in each round, with the number of the round as value, and prints finished rounds until it is killed. */
import * as v from 'valibot';
import { fileStorageConfig } from '../../../src/components/extensions/file-storage/config.ts';
import { fileStorageExtension } from '../../../src/components/extensions/file-storage/factory.ts';
import type { Storage } from '../../../src/engine/storage.ts';
import { componentSettings } from '../components/component-settings.ts';
import { hostWith } from '../components/host-with.ts';

const [directory, keys] = process.argv.slice(2);
const { settings } = componentSettings('extension', 'file_storage');
const config = v.parse(fileStorageConfig, { directory });
const extension = fileStorageExtension.create(settings, config);
await extension.start(hostWith());
const space = await (extension as unknown as Storage).space({ kind: 'receiver', id: 'killed' });
const first = Number(new TextDecoder().decode((await space.get(['0'])).get('0'))) + 1;
for (let round = first; ; round++) {
  const value = new TextEncoder().encode(String(round));
  await space.write(new Map(Array.from({ length: Number(keys) }, (_, key) => [String(key), value])));
  process.stdout.write(`${round}\n`);
  await new Promise((resolve) => setImmediate(resolve));
}

/** Packs in modules that users name on the command line. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { instrumentationMetrics } from '../metrics/third-party.ts';
import { checkPack } from './check-pack.ts';
import { packs } from './index.ts';
import { loadPack, type LoadedPack } from './load.ts';
import type { Pack } from './pack.ts';

/**
 * Imports a module that exports a pack as default or as `pack`.
 *
 * @throws Error if it cannot be imported, or exports something else.
 */
export async function importPack(file: string): Promise<Pack> {
  const resolved = path.resolve(file);
  if (!existsSync(resolved)) throw new Error('does not exist');
  const module = (await import(pathToFileURL(resolved).href)) as {
    readonly default?: unknown;
    readonly pack?: unknown;
  };
  const pack = module.default ?? module.pack;
  if (!isPack(pack)) throw new TypeError('does not export a pack as default or as "pack"; use definePack()');
  return pack;
}

/** Checks a pack that may be built on those that siphon ships. */
export async function checkPackFile(file: string): Promise<readonly string[]> {
  const pack = await importPack(file);
  return await checkPack(pack, { packs, metrics: instrumentationMetrics });
}

/**
 * Loads the built-in packs and the packs in these modules.
 *
 * @throws Error that names the file, if it has no pack or if another pack has the same name.
 */
export async function loadWithPackFiles(files: readonly string[]): Promise<readonly LoadedPack[]> {
  const loaded = await Promise.all(packs.map(loadPack));
  for (const file of files) {
    try {
      const pack = await loadPack(await importPack(file));
      if (loaded.some(({ name }) => name === pack.name)) throw new Error(`another pack has the name ${pack.name}`);
      loaded.push(pack);
    } catch (error) {
      throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  return loaded;
}

function isPack(value: unknown): value is Pack {
  if (typeof value !== 'object' || value === null) return false;
  return 'name' in value && 'metrics' in value && typeof value.metrics === 'object';
}

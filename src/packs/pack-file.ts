/** Packs in modules that users name on the command line. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { importPack } from '../components/receivers/db-poller/packs/import-pack.ts';
import { checkPack } from './check-pack.ts';
import { packs } from './index.ts';
import { loadPack, type LoadedPack } from './load.ts';
import type { Pack } from './pack.ts';

/**
 * Checks a pack that may be built on those that siphon ships.
 *
 * @throws Error if the file has no pack.
 */
export async function checkPackFile(file: string): Promise<readonly string[]> {
  const pack = await importPackFile(file);
  const others: readonly Pack[] = packs.filter((builtIn) => !isVersionOf(pack, builtIn));
  const isTaken = others.some(({ name }) => name === pack.name);
  return [
    ...(isTaken ? [`${pack.name}: a built-in pack has this name`] : []),
    ...(await checkPack(pack, { packs: others, metrics: {} })),
  ];
}

/** Imports a pack. The path may be relative to the working directory, or a URL. */
export async function importPackFile(file: string): Promise<Pack> {
  return (await importPack(file.startsWith('file:') ? fileURLToPath(file) : path.resolve(file))) as Pack;
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
      const pack = await loadPack(await importPackFile(file));
      if (loaded.some(({ name }) => name === pack.name)) throw new Error(`another pack has the name ${pack.name}`);
      loaded.push(pack);
    } catch (error) {
      throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  return loaded;
}

/** True for the module of a built-in pack, which the bundled command has as another object. */
function isVersionOf(pack: Pack, builtIn: Pack): boolean {
  return pack.name === builtIn.name && Object.keys(builtIn.metrics).some((name) => Object.hasOwn(pack.metrics, name));
}

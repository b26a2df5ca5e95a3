/** Packs in modules that users name on the command line. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { instrumentationMetrics } from '../metrics/third-party.ts';
import { checkPack } from './check-pack.ts';
import { packs } from './index.ts';
import type { Pack } from './pack.ts';

/**
 * Imports a module whose default export is a pack.
 *
 * @throws Error if it cannot be imported, or exports something else.
 */
export async function importPack(file: string): Promise<Pack> {
  const module = (await import(pathToFileURL(path.resolve(file)).href)) as { readonly default?: unknown };
  if (!isPack(module.default)) throw new TypeError('the default export is not a pack; use definePack()');
  return module.default;
}

/** Checks a pack that may be built on those that siphon ships. */
export async function checkPackFile(file: string): Promise<readonly string[]> {
  const pack = await importPack(file);
  return await checkPack(pack, { packs, metrics: instrumentationMetrics });
}

function isPack(value: unknown): value is Pack {
  if (typeof value !== 'object' || value === null) return false;
  return 'name' in value && 'metrics' in value && typeof value.metrics === 'object';
}

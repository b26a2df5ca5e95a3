import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';

/**
 * Marks a mapping whose keys may be module files. The loader makes such keys absolute: `./shop.ts` is relative to the
 * configuration file that contains it, or to the working directory if it comes from the command line.
 */
export function moduleKeys<Mapping>(): v.MetadataAction<Mapping, { readonly keys: 'module files' }> {
  return v.metadata({ keys: 'module files' });
}

/** True if a key is a module file, not a name: it starts with `./`, `../`, `/` or `file:`. */
export function isModuleFile(key: string): boolean {
  return /^(?:\.{0,2}\/|file:)/.test(key);
}

/** The absolute path of a module file. A URL that names no file of this machine stays as it is. */
export function pathOfModule(key: string, folder: string): string {
  if (!key.startsWith('file:')) return resolve(folder, key);
  try {
    return fileURLToPath(key);
  } catch {
    return key;
  }
}

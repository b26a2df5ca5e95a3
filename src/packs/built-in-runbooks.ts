import { existsSync, readFileSync } from 'node:fs';
import type { Runbooks } from './pack.ts';

/**
 * The runbooks of a pack in this folder of `src/packs`, which the package contains as they are. Their address names the
 * version, so that a link leads to the runbook of the rules that contain it.
 */
export function builtInRunbooks(pack: string): Runbooks {
  return {
    get folder() {
      return new URL(`src/packs/${pack}/runbooks/`, packageFolder());
    },
    get address() {
      const manifest = readFileSync(new URL('package.json', packageFolder()), 'utf8');
      const { version } = JSON.parse(manifest) as { readonly version: string };
      return `https://unpkg.com/siphon-otel@${version}/src/packs/${pack}/runbooks`;
    },
  };
}

/** This module may be bundled, so the way to the folder is not fixed. */
function packageFolder(): URL {
  let folder = new URL('./', import.meta.url);
  while (!existsSync(new URL('package.json', folder))) folder = new URL('../', folder);
  return folder;
}

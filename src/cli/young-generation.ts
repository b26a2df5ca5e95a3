import { setFlagsFromString } from 'node:v8';

/**
 * From now on V8 does not enlarge the part of its heap where objects are made. It would go on to 48 MiB under load, and
 * nearly all of what lies there, buffers of requests included, is garbage that waits for the next collection. Who wants
 * a large one says `node --min-semi-space-size=16`. docs/decisions/0008-small-young-generation.md has the figures.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

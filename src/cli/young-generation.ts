import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8 from enlarging the young generation of its heap. Under load it would grow to 48 MiB, mostly garbage such as
 * old request buffers that waits for the next collection. `node --min-semi-space-size=16` selects a larger one.
 * docs/decisions/0008-small-young-generation.md has the figures.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

import { createHash } from 'node:crypto';

/** A number in [0, 1) that depends on its arguments alone, so that what looks like chance repeats exactly. */
export function seededFraction(...parts: readonly (string | number)[]): number {
  return createHash('sha256').update(parts.join('\0')).digest().readUInt32BE() / 2 ** 32;
}

import { createHash } from 'node:crypto';
import type { StorageOwner } from '../../../engine/storage.ts';

const LONGEST = 150;

/** A name for each owner, of characters that every file system accepts. */
export function fileNameOf({ kind, id, name }: StorageOwner): string {
  const parts = [kind, id, ...(name === undefined ? [] : [name])].map(safe).join('.');
  if (parts.length <= LONGEST) return `${parts}.sqlite`;
  const digest = createHash('sha256').update(parts).digest('hex').slice(0, 32);
  return `${parts.slice(0, LONGEST)}.${digest}.sqlite`;
}

/** Replaces everything except letters, digits, `_` and `-` by `%` and the hexadecimal bytes of its UTF-8. */
function safe(text: string): string {
  return text.replaceAll(/[^\w-]/gu, (character) => `%${Buffer.from(character).toString('hex').toUpperCase()}`);
}

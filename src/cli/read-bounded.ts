import { readFileSync, statSync } from 'node:fs';
import { MAX_SOURCE_LENGTH } from '../engine/config/parse-yaml.ts';

/**
 * The text of a file that is written by hand.
 *
 * @throws Error that says in words why it cannot be read.
 */
export function readBounded(path: string): string {
  try {
    if (statSync(path).size > MAX_SOURCE_LENGTH) throw new Error('it is larger than 1 MiB');
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(whyUnreadable(error as NodeJS.ErrnoException), { cause: error });
  }
}

function whyUnreadable({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'is a folder, but must be a file';
  if (code === 'EACCES') return 'may not be read by the user that siphon runs as';
  return `cannot be read: ${message}`;
}

import { readFileSync, statSync } from 'node:fs';
import { MAX_SOURCE_LENGTH } from '../engine/config/parse-yaml.ts';

/**
 * The text of a hand-written file.
 *
 * @throws Error whose message is the reason in plain words.
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
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EISDIR') return 'is a folder, not a file';
  if (code === 'EACCES') return 'is not readable for the user that runs siphon';
  return `cannot be read: ${message}`;
}

import { constants } from 'node:fs';
import { access, mkdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Finding } from '../../../engine/component.ts';
import type { FileStorageConfig } from './config.ts';

const BYTES_PER_MIB = 1024 * 1024;

/** Creates the directory if configured. @throws Error with its name and a fix, if it cannot contain the files. */
export async function checkDirectory(config: FileStorageConfig): Promise<void> {
  const { directory, create_directory, directory_permissions } = config;
  try {
    if (create_directory) await mkdir(directory, { recursive: true, mode: directory_permissions });
    await checkAccess(directory);
  } catch (error) {
    throw explained(directory, error);
  }
}

/** Like `checkDirectory`, but creates nothing, and also checks the free space. */
export async function* directoryFindings(config: FileStorageConfig): AsyncGenerator<Finding> {
  const { directory, create_directory, max_size_mib } = config;
  try {
    const existing = create_directory ? await nearestExisting(directory) : directory;
    await checkAccess(existing);
    const { bavail, bsize } = await statfs(existing);
    const freeMib = Math.floor((bavail * bsize) / BYTES_PER_MIB);
    if (freeMib < max_size_mib) {
      const what = `${directory} has only ${freeMib} MiB free, but each file may need ${max_size_mib} MiB`;
      yield { severity: 'warning', what, repair: 'Free some space, or lower max_size_mib' };
    } else {
      yield { severity: 'ok', what: `${directory} is writable and has ${freeMib} MiB free` };
    }
  } catch (error) {
    yield { severity: 'error', what: explained(directory, error).message };
  }
}

async function checkAccess(directory: string): Promise<void> {
  if (!(await stat(directory)).isDirectory()) throw new Error('is not a directory');
  await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
}

/** The directory in which `mkdir` would start. */
async function nearestExisting(directory: string): Promise<string> {
  for (let candidate = path.resolve(directory); ; candidate = path.dirname(candidate)) {
    const found = await stat(candidate).catch(() => undefined);
    if (found !== undefined || candidate === path.dirname(candidate)) return candidate;
  }
}

function explained(directory: string, cause: unknown): Error {
  const { code, message } = cause as NodeJS.ErrnoException;
  const advice = code === 'ENOENT' ? 'does not exist; create it, or set create_directory' : message;
  return new Error(`directory: ${directory} ${advice}`, { cause });
}

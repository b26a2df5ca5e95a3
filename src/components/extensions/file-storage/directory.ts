import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Finding } from '../../../engine/component.ts';
import { createDirectory } from '../../../engine/create-directory.ts';
import type { FileStorageConfig } from './config.ts';

const BYTES_PER_MIB = 1024 * 1024;
/** With less, even the first write of a small file may fail. */
const MIN_FREE_MIB = 1;
/** The types of Linux file systems that contain no files of users: proc, sysfs, devpts, cgroup and cgroup2. */
const WITHOUT_FILES = new Set([0x9f_a0, 0x62_65_65_72, 0x1c_d1, 0x27_e0_eb, 0x63_67_72_70]);

/** Creates the directory if configured. @throws Error with its name and a fix, if it cannot contain the files. */
export async function checkDirectory(config: FileStorageConfig): Promise<void> {
  const { directory, create_directory, directory_permissions } = config;
  try {
    if (create_directory) await createDirectory(directory, directory_permissions);
    await checkAccess(directory);
  } catch (error) {
    throw explained(error);
  }
}

/** Like `checkDirectory`, but creates nothing, and also checks the free space. */
export async function* directoryFindings(config: FileStorageConfig): AsyncGenerator<Finding> {
  try {
    yield await directoryFinding(config);
  } catch (error) {
    yield { severity: 'error', what: explained(error).message };
  }
}

async function directoryFinding({ directory, create_directory, max_size_mib }: FileStorageConfig): Promise<Finding> {
  const existing = create_directory ? await nearestExisting(directory) : directory;
  // Before the rights, which cannot be changed there.
  if (await isWithoutFiles(existing)) throw new Error(`${directory} cannot contain files`);
  await checkAccess(existing);
  const { bavail, bsize } = await statfs(existing);
  const freeMib = Math.floor((bavail * bsize) / BYTES_PER_MIB);
  if (freeMib < MIN_FREE_MIB) {
    const what = `${directory} has no free space: counters that keep their state there count nothing`;
    return { severity: 'error', what, repair: 'Free some space' };
  }
  if (freeMib < max_size_mib) {
    const what = `${directory} has only ${freeMib} MiB free, but each file may need ${max_size_mib} MiB`;
    return { severity: 'warning', what, repair: 'Free some space, or lower max_size_mib' };
  }
  return { severity: 'ok', what: `${directory} is writable and has ${freeMib} MiB free` };
}

async function checkAccess(directory: string): Promise<void> {
  const found = await stat(directory).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
    throw new Error(`${directory} does not exist; create it, or set create_directory`, { cause });
  });
  if (!found.isDirectory()) throw new Error(`${directory} is not a directory`);
  await access(directory, constants.R_OK | constants.W_OK | constants.X_OK).catch((cause: unknown) => {
    throw new Error(`${directory} is not writable for the user of siphon`, { cause });
  });
}

/** The directory in which its creation would start. */
async function nearestExisting(directory: string): Promise<string> {
  for (let candidate = path.resolve(directory); ; candidate = path.dirname(candidate)) {
    const found = await stat(candidate).catch(() => undefined);
    if (found !== undefined || candidate === path.dirname(candidate)) return candidate;
  }
}

function explained(cause: unknown): Error {
  return new Error(`directory: ${(cause as Error).message}`, { cause });
}

async function isWithoutFiles(directory: string): Promise<boolean> {
  try {
    return WITHOUT_FILES.has((await statfs(directory)).type);
  } catch {
    // The check of the access names the problem.
    return false;
  }
}

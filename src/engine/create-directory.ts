import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Creates the directory and its missing parents. An existing directory is left as it is.
 *
 * One level at a time, because Node's `recursive` never ends if a level cannot be created although its parent exists, as
 * in /proc.
 *
 * @throws Error with the name of the directory and the reason.
 */
export async function createDirectory(directory: string, mode?: number): Promise<void> {
  try {
    await createLevels(path.resolve(directory), mode);
  } catch (error) {
    throw new Error(`${directory} cannot be created: ${(error as Error).message}`, { cause: error });
  }
}

async function createLevels(directory: string, mode: number | undefined): Promise<void> {
  try {
    await mkdir(directory, { mode });
  } catch (error) {
    if (await isDirectory(directory)) return;
    const parent = path.dirname(directory);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === directory) throw error;
    await createLevels(parent, mode);
    await mkdir(directory, { mode }).catch(async (again: NodeJS.ErrnoException) => {
      if (await isDirectory(directory)) return;
      throw again.code === 'ENOENT' ? new Error(`${parent} cannot contain directories`, { cause: again }) : again;
    });
  }
}

async function isDirectory(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found?.isDirectory() === true;
}

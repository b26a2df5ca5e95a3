import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** A file that siphon writes, and how it knows an older one of its own. */
export interface OwnFile {
  readonly fileName: string;
  readonly text: string;
  readonly isOwn: (text: string) => boolean;
}

/**
 * Resolves with how many files it wrote. Looks at all of them before it writes the first.
 *
 * @throws Error if one of them is there and not siphon's own.
 */
export async function writeOwnFiles(dir: string, wanted: readonly OwnFile[]): Promise<number> {
  await mkdir(dir, { recursive: true });
  const files = wanted.map((one) => ({ ...one, file: path.join(dir, one.fileName) }));
  const before = await Promise.all(files.map(({ file }) => readIfThere(file)));
  for (const [index, { file, isOwn }] of files.entries()) {
    const text = before[index];
    if (text !== undefined && !isOwn(text)) {
      throw new Error(`${file} is there and not one of siphon's; nothing was written`);
    }
  }
  const changed = files.filter(({ text }, index) => before[index] !== text);
  const drafts = changed.map(({ file, text }) => ({ file, text, draft: `${file}.${process.pid}.tmp` }));
  try {
    for (const { draft, text } of drafts) await writeFile(draft, text);
    for (const { draft, file } of drafts) await rename(draft, file);
  } finally {
    await Promise.all(drafts.map(({ draft }) => rm(draft, { force: true })));
  }
  return changed.length;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

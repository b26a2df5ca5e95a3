import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** A text for each file, by path. It changes when the file is written or replaced, also behind a link. */
export type FileVersions = Readonly<Record<string, string>>;

/** @param files paths; undefined for settings that name none. */
export function fileVersions(files: readonly (string | undefined)[]): FileVersions {
  return Object.fromEntries(files.filter((file) => file !== undefined).map((file) => [file, fileVersion(file)]));
}

/** The version of a folder contains those of its files. The start of the component reports a file that is missing. */
export function fileVersion(file: string): string {
  try {
    const found = statSync(file, { bigint: true });
    const inside = found.isDirectory()
      ? readdirSync(file).map((name) => statSync(path.join(file, name), { bigint: true }))
      : [];
    return [found, ...inside].flatMap(({ dev, ino, size, mtimeNs }) => [dev, ino, size, mtimeNs]).join(' ');
  } catch {
    return 'missing';
  }
}

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The login that a line of a password file is for. A socket counts as `localhost`. */
export interface PasswordOwner {
  readonly host: string;
  readonly port: string;
  readonly dbname: string;
  readonly user: string;
}

/** `passfile` of the datasource, PGPASSFILE or `~/.pgpass`; undefined without a home folder. */
export function passwordFile(
  passfile: string | undefined,
  { PGPASSFILE, HOME }: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return passfile ?? PGPASSFILE ?? (HOME === undefined ? undefined : join(HOME, '.pgpass'));
}

/**
 * The password of the first line that fits. Like libpq, it ignores a file that others may read.
 * https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export async function passwordIn(
  file: string,
  { host, port, dbname, user }: PasswordOwner,
): Promise<string | undefined> {
  const content = await privateContent(file);
  const wanted = [host, port, dbname, user];
  for (const line of content.split('\n').filter((one) => !one.startsWith('#'))) {
    const fields = fieldsOf(line.replace(/\r$/, ''));
    if (fields.length >= 5 && wanted.every((value, i) => fields[i] === '*' || fields[i] === value)) return fields[4];
  }
  return undefined;
}

async function privateContent(file: string): Promise<string> {
  try {
    const found = await stat(file);
    const isOpen = process.platform !== 'win32' && (found.mode & 0o077) !== 0;
    return found.isFile() && !isOpen ? await readFile(file, 'utf8') : '';
  } catch {
    return '';
  }
}

/** Colons separate the fields. A backslash escapes a colon or a backslash. */
function fieldsOf(line: string): string[] {
  return [...line.matchAll(/((?:[^:\\]|\\.)*)(?::|$)/g)].map(([, field = '']) => field.replaceAll(/\\(.)/g, '$1'));
}

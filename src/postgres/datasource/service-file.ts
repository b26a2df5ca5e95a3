import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../../engine/describe-error.ts';
import { PostgresError } from '../postgres-error.ts';
import type { Keywords } from './keywords.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The parameters of a service, from the file of PGSERVICEFILE or `~/.pg_service.conf`, then from that of PGSYSCONFDIR.
 * https://www.postgresql.org/docs/current/libpq-pgservice.html
 *
 * @throws PostgresError if no file has the service
 */
export async function serviceKeywords(service: string, environment: Environment): Promise<Keywords> {
  const files = serviceFiles(environment);
  for (const file of files) {
    const found = sectionOf(await contentOf(file), service);
    if (found !== undefined) return found;
  }
  throw new PostgresError(
    'connection',
    `the datasource names the service ${service}, which is not in ${files.join(' or ') || 'a service file'}`,
    { repair: 'Add the service to the file, or set PGSERVICEFILE to the file that has it' },
  );
}

function serviceFiles({ PGSERVICEFILE, PGSYSCONFDIR, HOME }: Environment): string[] {
  const own = PGSERVICEFILE ?? (HOME === undefined ? undefined : join(HOME, '.pg_service.conf'));
  return [own, PGSYSCONFDIR === undefined ? undefined : join(PGSYSCONFDIR, 'pg_service.conf')].filter(
    (file) => file !== undefined,
  );
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new PostgresError('connection', `cannot read the service file: ${describeError(error)}`, { cause: error });
  }
}

function sectionOf(content: string, service: string): Keywords | undefined {
  let section: string | undefined;
  let found: Record<string, string> | undefined;
  for (const line of content.split('\n').map((one) => one.trim())) {
    const name = /^\[(?<name>.+)\]$/.exec(line)?.groups?.['name'];
    if (name !== undefined) section = name;
    if (section !== service) continue;
    found ??= {};
    const { key, value } = /^(?<key>[a-z_]+)\s*=\s*(?<value>.*)$/.exec(line)?.groups ?? {};
    // The first of several has precedence, as in libpq.
    if (key !== undefined && value !== undefined) found[key] ??= value;
  }
  return found;
}

import { userInfo } from 'node:os';
import type { Secret } from '../../engine/schema/secret.ts';
import { PostgresError } from '../postgres-error.ts';
import { readKeywords, type Keywords } from './keywords.ts';
import { passwordFile, passwordIn, type PasswordOwner } from './password-file.ts';
import { serviceKeywords } from './service-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export type ServerRole = 'primary' | 'standby';

/** The servers that a datasource names. */
export interface ConnectionTargets {
  /** URLs for node-pg, each of one host, in the order in which they are tried. */
  readonly urls: readonly string[];
  /** The roles that are accepted; each of them is looked for on all hosts before the next. Undefined: any role. */
  readonly roles: readonly (ServerRole | undefined)[];
}

/**
 * Reads the datasource, and the service file and the password file if it needs them.
 *
 * @throws PostgresError
 */
export async function connectionTargets(
  datasource: Secret,
  environment: Environment = process.env,
): Promise<ConnectionTargets> {
  const keywords = await keywordsOf(datasource, environment);
  const urls = hostsOf(keywords).map(async (host) => urlOf(await withPassword({ ...keywords, ...host }, environment)));
  return { urls: await Promise.all(urls), roles: rolesOf(keywords['target_session_attrs']) };
}

/**
 * The keywords of the datasource and of the service that it names.
 *
 * @throws PostgresError
 */
export async function keywordsOf(datasource: Secret, environment: Environment): Promise<Keywords> {
  const given = readKeywords(datasource.reveal());
  if (given === undefined) throw new PostgresError('connection', 'the datasource is neither a URL nor keywords');
  const service = given['service'] ?? (given['host'] === undefined ? environment['PGSERVICE'] : undefined);
  return { ...(service ? await serviceKeywords(service, environment) : {}), ...given };
}

/**
 * The role of siphon has read-only sessions on every server, so `read-write` cannot mean the session: it means the primary.
 */
function rolesOf(attributes = 'any'): ConnectionTargets['roles'] {
  switch (attributes) {
    case 'primary':
    case 'read-write':
      return ['primary'];
    case 'standby':
    case 'read-only':
      return ['standby'];
    case 'prefer-standby':
      return ['standby', undefined];
    default:
      return [undefined];
  }
}

export function hostsOf({ host, port = '' }: Keywords): Keywords[] {
  if (host === undefined) return [port === '' ? {} : { port }];
  const ports = port.split(',');
  return host.split(',').map((one, i) => ({ host: one || 'localhost', port: ports[ports.length === 1 ? 0 : i] || '' }));
}

async function withPassword(keywords: Keywords, environment: Environment): Promise<Keywords> {
  const file = passwordFile(keywords['passfile'], environment);
  const hasPassword = keywords['password'] !== undefined || environment['PGPASSWORD'] !== undefined;
  if (hasPassword || file === undefined) return keywords;
  const password = await passwordIn(file, ownerOf({ ...defaultsOf(environment), ...keywords }));
  return password === undefined ? keywords : { ...keywords, password };
}

/** The variables that node-pg reads itself. */
export function defaultsOf({ PGUSER, PGHOST, PGPORT, PGDATABASE }: Environment): Keywords {
  const found = Object.entries({ user: PGUSER, host: PGHOST, port: PGPORT, dbname: PGDATABASE });
  return Object.fromEntries(found.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

function ownerOf({ host = 'localhost', port, user = userInfo().username, dbname = user }: Keywords): PasswordOwner {
  return { user, dbname, host: host.startsWith('/') ? 'localhost' : host, port: port || '5432' };
}

/** Keywords that have had their effect, or that the URL holds elsewhere. */
const NOT_PARAMETERS: ReadonlySet<string> = new Set(['dbname', 'service', 'passfile', 'target_session_attrs']);
/** node-pg treats these like `verify-full`, and warns on stderr that a later version will not. */
const LAX_SSLMODE = /^(?:prefer|require|verify-ca)$/;

/** `no-verify` must be explicit: without `uselibpqcompat`, every other mode with TLS verifies the certificate. */
function urlOf({ dbname = '', ...keywords }: Keywords): string {
  const params = new URLSearchParams(Object.entries(keywords).filter(([name, value]) => value !== '' && !NOT_PARAMETERS.has(name))); // prettier-ignore
  const isLax = params.get('uselibpqcompat') !== 'true' && LAX_SSLMODE.test(params.get('sslmode') ?? '');
  const hasSystemRoots = params.get('sslrootcert') === 'system';
  if (isLax || hasSystemRoots) params.set('sslmode', 'verify-full');
  // Node's own authorities are the default.
  if (hasSystemRoots) params.delete('sslrootcert');
  return `postgresql:///${encodeURI(dbname).replaceAll('?', '%3F').replaceAll('#', '%23')}?${params.toString()}`;
}

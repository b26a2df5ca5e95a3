import { parseKeywords, readKeywords, type Keywords } from '../../../postgres/datasource/keywords.ts';

/** Connection parameters that siphon or node-pg reads from the URL. The others are passed to the server as settings. */
const DRIVER_PARAMETERS = new Set([
  'application_name',
  'fallback_application_name',
  'host',
  'options',
  'passfile',
  'password',
  'port',
  'sslcert',
  'sslkey',
  'sslmode',
  'sslrootcert',
  'target_session_attrs',
  'user',
  'uselibpqcompat',
]);

export interface Connection {
  /** For node-pg. */
  readonly url: string;
  /** `connect_timeout`, if it is set. */
  readonly connectTimeoutMs: number | undefined;
}

/**
 * Parses a datasource like the stock receiver's `postgres` driver: a URL, or libpq's keywords and values. TLS is required
 * unless `sslmode` disables it, and verified only if `sslmode` asks for it.
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
 *
 * @returns undefined if it is neither.
 */
export function readDatasource(text: string): Connection | undefined {
  const url = /^postgres(?:ql)?:\/\//.test(text) ? parseUrl(text) : urlOfKeywords(text);
  return url && complete(url);
}

export interface ConnectionFields {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** @returns undefined if the host is not valid. */
export function joinConnection({
  host,
  port,
  database,
  username,
  password,
  params,
}: ConnectionFields): Connection | undefined {
  const url = urlOf({ host, port: String(port), user: username, password, dbname: database });
  for (const [name, value] of Object.entries(params)) url?.searchParams.set(name, String(value));
  return url && complete(url);
}

function parseUrl(text: string): URL | undefined {
  if (URL.canParse(text)) return new URL(text);
  const keywords = readKeywords(text);
  return keywords?.['host']?.includes(',') === true ? urlOfHosts(keywords) : undefined;
}

/** The authority of a URL has room for one host, so several of them are parameters, and so is the login. */
function urlOfHosts({ dbname = '', ...keywords }: Keywords): URL {
  const url = new URL(`postgresql:///${encodeURIComponent(dbname)}`);
  for (const [name, value] of Object.entries(keywords)) if (value !== '') url.searchParams.set(name, value);
  return url;
}

function urlOfKeywords(text: string): URL | undefined {
  const keywords = parseKeywords(text);
  if (keywords === undefined) return undefined;
  if (keywords['host']?.includes(',') === true) return urlOfHosts(keywords);
  const { host = 'localhost', port = '5432', user = '', password = '', dbname = '', ...params } = keywords;
  const url = urlOf({ host, port, user, password, dbname });
  for (const [name, value] of Object.entries(params)) url?.searchParams.set(name, value);
  return url;
}

function urlOf(fields: Record<'host' | 'port' | 'user' | 'password' | 'dbname', string>): URL | undefined {
  const { host, port, dbname } = fields;
  const isSocket = host.startsWith('/');
  const name = isSocket ? 'localhost' : host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const [user, password, database] = [fields.user, fields.password, dbname].map(encodeURIComponent);
  const login = user === '' ? '' : `${user}:${password}@`;
  const url = parseUrl(`postgresql://${login}${name}:${port}/${database}`);
  if (isSocket) url?.searchParams.set('host', host);
  return url;
}

function complete(url: URL): Connection {
  const params = url.searchParams;
  const seconds = Number(params.get('connect_timeout') ?? 0);
  const isSocket = params.get('host')?.startsWith('/') === true;
  const others = [...params].filter(([name]) => !DRIVER_PARAMETERS.has(name) && name !== 'connect_timeout');
  for (const [name] of others) params.delete(name);
  params.delete('connect_timeout');
  const settings = others.map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\\s]/g, String.raw`\$&`)}`);
  if (settings.length > 0) params.set('options', [params.get('options') ?? '', ...settings].join(' ').trim());
  if (!params.has('sslmode')) params.set('sslmode', isSocket ? 'disable' : 'require');
  if (!params.has('uselibpqcompat')) params.set('uselibpqcompat', 'true');
  // Spaces as %20, because not every parser decodes + as a space.
  url.search = params.toString().replaceAll('+', '%20');
  return { url: url.href, connectTimeoutMs: seconds > 0 ? seconds * 1000 : undefined };
}

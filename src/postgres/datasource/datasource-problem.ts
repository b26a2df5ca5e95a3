import { isUrl, readKeywords, type Keywords } from './keywords.ts';

/**
 * The mistake in a datasource, without a part of it, which may be a password. Undefined if it has none.
 *
 * A password with `#`, `/` or `?` that is not percent-encoded still makes a valid URL, but of another host, whose name
 * is a part of the password and would appear in error messages.
 */
export function datasourceProblem(text: string): string | undefined {
  if (isUrl(text)) {
    const keywords = readKeywords(text);
    return keywords === undefined || isCut(text) ? ENCODED_URL : valueProblem(keywords);
  }
  const keywords = readKeywords(text);
  if (keywords === undefined) return NOT_A_DATASOURCE;
  if (Object.keys(keywords).some((name) => !KEYWORDS.has(name))) return `has a keyword that is not one of ${[...KEYWORDS].join(', ')}`; // prettier-ignore
  return valueProblem(keywords);
}

const NOT_A_DATASOURCE =
  "must be a URL, postgresql://user:password@host:5432/database, special characters of the password percent-encoded, or keywords, host=… port=… user=… password='…' dbname=…";

const ENCODED_URL =
  'must be a URL, postgresql://user:password@host:5432/database, special characters of the password percent-encoded (# is %23, / is %2F, % is %25)';

/** The values of libpq's `target_session_attrs`. */
const SESSIONS: ReadonlySet<string> = new Set([
  'any',
  'read-write',
  'read-only',
  'primary',
  'standby',
  'prefer-standby',
]);

/** The values that node-pg accepts for `sslmode`. */
const SSL_MODES: ReadonlySet<string> = new Set([
  'disable',
  'prefer',
  'require',
  'verify-ca',
  'verify-full',
  'no-verify',
]);

/** A URL of a provider may have parameters for other clients. A word that is not a keyword may be a part of a password. */
const KEYWORDS: ReadonlySet<string> = new Set([
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'service',
  'passfile',
  'target_session_attrs',
  'application_name',
  'fallback_application_name',
  'options',
  'client_encoding',
  'connect_timeout',
  'channel_binding',
  'gssencmode',
  'load_balance_hosts',
  'require_auth',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslnegotiation',
]);

/** An `@` or `#` behind the host belongs to the password. */
function isCut(text: string): boolean {
  const [, path = '', query = ''] = /^\w+:\/\/[^/?#]*(\/[^?#]*)?(\?.*)?$/s.exec(text.split('#', 1)[0]!) ?? [];
  return text.includes('#') || path.includes('@') || (query.includes('@') && !/^\w+:\/\/[^/?#]*@/.test(text));
}

function valueProblem({ sslmode, target_session_attrs: session, host = '', port = '' }: Keywords): string | undefined {
  if (sslmode !== undefined && !SSL_MODES.has(sslmode)) return `has an sslmode that is not one of ${[...SSL_MODES].join(', ')}`; // prettier-ignore
  if (session !== undefined && !SESSIONS.has(session)) return `has target_session_attrs that is not one of ${[...SESSIONS].join(', ')}`; // prettier-ignore
  const [hosts, ports] = [host.split(','), port.split(',')];
  if (ports.some((one) => one !== '' && !(/^\d{1,5}$/.test(one) && Number(one) <= 65_535))) return 'has a port that is not a number up to 65535'; // prettier-ignore
  if (ports.length > 1 && ports.length !== hosts.length) return 'has not as many ports as hosts';
  return undefined;
}

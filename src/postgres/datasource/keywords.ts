/**
 * Connection parameters by their names in libpq. Several hosts are separated by commas, and so are their ports.
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
 */
export type Keywords = Readonly<Record<string, string>>;

/** @returns undefined if the text is neither a URL nor keywords and values. */
export function readKeywords(text: string): Keywords | undefined {
  return isUrl(text) ? keywordsOfUrl(text) : parseKeywords(text);
}

export function isUrl(text: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(text);
}

/** The text that `parseKeywords` reads. Parameters of a URL that libpq cannot have are left out. */
export function writeKeywords(keywords: Keywords): string {
  return Object.entries(keywords)
    .filter(([name]) => /^[a-z_]+$/.test(name))
    .map(([name, value]) => `${name}='${value.replaceAll(/[\\']/g, String.raw`\$&`)}'`)
    .join(' ');
}

/** A keyword and its value, which is quoted if it contains spaces. A backslash escapes the next character. */
const KEYWORD = /\s*(?<name>[a-z_]+)\s*=\s*(?:'(?<quoted>(?:[^'\\]|\\.)*)'|(?<plain>(?:[^\s'\\]|\\.)*))(?:\s+|$)/sy;

/** @returns undefined if the text is not `host=… dbname=…`. */
export function parseKeywords(text: string): Keywords | undefined {
  const found: Record<string, string> = {};
  KEYWORD.lastIndex = 0;
  for (let at = 0; at < text.length; at = KEYWORD.lastIndex) {
    const { name = '', quoted, plain = '' } = KEYWORD.exec(text)?.groups ?? {};
    if (name === '') return undefined;
    found[name] = (quoted ?? plain).replaceAll(/\\(.)/gs, '$1');
  }
  return Object.keys(found).length === 0 ? undefined : found;
}

/** The last `@` before the path ends the login, as in a browser. */
const URL_PARTS =
  /^\w+:\/\/(?:(?<user>[^:/?#]*?)(?::(?<password>[^/?#]*))?@)?(?<hosts>[^@/?#]*)(?:\/(?<dbname>[^?#]*))?(?:\?(?<query>[^#]*))?$/;

/** A parameter has precedence over the same part of the authority or the path. */
function keywordsOfUrl(text: string): Keywords | undefined {
  const parts = URL_PARTS.exec(text)?.groups;
  const hosts = parts && hostList(parts['hosts'] ?? '');
  if (hosts === undefined) return undefined;
  try {
    const { user = '', password = '', dbname = '', query = '' } = parts ?? {};
    const named = mapped({ ...hosts, user, password, dbname }, decodeURIComponent);
    return { ...whereSet(named), ...Object.fromEntries(new URLSearchParams(query.replaceAll('+', '%2B'))) };
  } catch {
    return undefined;
  }
}

const HOST = /^(?:\[(?<address>[0-9a-f:.]+)\]|(?<host>[^:[\]\s]*))(?::(?<port>\d{1,5}))?$/i;

/** @returns undefined if one of the hosts is not valid. */
function hostList(text: string): { readonly host: string; readonly port: string } | undefined {
  const parsed = text.split(',').map((one) => HOST.exec(one)?.groups);
  if (parsed.includes(undefined)) return undefined;
  const ports = parsed.map((one) => one?.['port'] ?? '');
  return {
    host: parsed.map((one) => one?.['address'] ?? one?.['host'] ?? '').join(','),
    port: ports.every((port) => port === '') ? '' : ports.map((port) => port || '5432').join(','),
  };
}

function mapped(values: Keywords, change: (value: string) => string): Keywords {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}

function whereSet(values: Keywords): Keywords {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
}

/** The certificates, keys and password files that a datasource names. */
export function filesOfDatasource(text: string): readonly string[] {
  const keywords = readKeywords(text) ?? {};
  const files = ['sslrootcert', 'sslcert', 'sslkey', 'passfile'].flatMap((name) => keywords[name] ?? []);
  return files.filter((file) => file !== 'system');
}

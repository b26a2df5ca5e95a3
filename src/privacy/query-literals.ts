import { endOfComment } from './nested-comment.ts';

/** Longer queries are cut: no backend accepts more, and the scan takes time in proportion. */
const MAX_CHARACTERS = 16 * 1024;

/** In these, double quotes surround names. Elsewhere they surround texts. */
const QUOTED_NAMES = /postgres|oracle|sqlite|cockroach|redshift|snowflake|db2|trino|h2|hsqldb|firebird|vertica/i;

/**
 * In these, a backslash keeps a quote from ending a text. In the others it is a character like any other.
 * `#` begins a comment in most of them, and is an operator in none. In PostgreSQL it is one.
 */
const BACKSLASHES = /mysql|mariadb|clickhouse|bigquery|hive|spark|databricks|mongo|couch|elastic|opensearch/i;

/** In these, a comment ends at the first mark. Elsewhere comments nest. */
const FLAT_COMMENTS = /mysql|mariadb|oracle|sqlite|bigquery|hive|spark|databricks|snowflake|trino/i;

/** `SET` takes values without quotes. A statement begins the text or follows a semicolon. */
const SETTING =
  /(^|;)(\s*set\s+(?:(?:local|session|global)\s+)?[\w.@"`]+\s*(?::?=|\bto\b)\s*)(?:"[^"]*(?:"|$)|[^;"])+/gi;

/** Comments, texts, names, numbers. Each alternative ends within its own characters, so the time is linear. */
function partsOf(text: string, ...more: readonly string[]): RegExp {
  return new RegExp(
    [
      ...more,
      String.raw`--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)`,
      String.raw`(?<![\w$])\$([A-Za-z_]\w*)?\$[\s\S]*?(?:\$\1\$|$)`,
      ...["'", '"'].map((quote) => `${quote}(?:${text.replaceAll('#', quote)}|${quote}${quote})*(?:${quote}|$)`),
      String.raw`\x60[^\x60]*(?:\x60|$)|[$:@]?[\p{L}_][\w$\p{L}]*|[$@?]\d+|0[xX][0-9a-fA-F]+`,
      String.raw`(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?`,
    ].join('|'),
    'gu',
  );
}

const PARTS = partsOf('[^#]');
const PARTS_WITH_BACKSLASHES = partsOf(String.raw`[^#\\]|\\[\s\S]`, String.raw`#[^\n]*`);

const MAX_REMEMBERED = 200;

/** Services repeat few queries. By database system and text. */
const remembered = new Map<string, string>();

/**
 * The text of a query with `?` in place of its values. Values may be personal, and Sentry recognises repeated queries by
 * equal texts. Placeholders and names stay. @param system the value of `db.system.name`.
 */
export function withoutLiterals(query: string, system = ''): string {
  const begin = query.slice(0, MAX_CHARACTERS);
  const key = `${system.slice(0, 50)} ${begin}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const text = replaceLiterals(begin, system);
  if (remembered.size === MAX_REMEMBERED) remembered.clear();
  remembered.set(key, text);
  return text;
}

function replaceLiterals(query: string, system: string): string {
  const keepsDoubleQuotes = QUOTED_NAMES.test(system);
  const nests = !FLAT_COMMENTS.test(system);
  const parts = BACKSLASHES.test(system) ? PARTS_WITH_BACKSLASHES : PARTS;
  let text = '';
  let at = 0;
  parts.lastIndex = 0;
  for (let match = parts.exec(query); match !== null; match = parts.exec(query)) {
    if (nests && match[0].startsWith('/*')) parts.lastIndex = endOfComment(query, match.index + 2);
    text += query.slice(at, match.index) + withoutValue(query.slice(match.index, parts.lastIndex), keepsDoubleQuotes);
    at = parts.lastIndex;
  }
  return (text + query.slice(at)).replaceAll(SETTING, '$1$2?');
}

function withoutValue(part: string, keepsDoubleQuotes: boolean): string {
  if (/^(?:--|#|\/\*)/.test(part)) return part.includes('\n') ? '\n' : ' ';
  if (part.startsWith('"')) return keepsDoubleQuotes ? part : '?';
  const isValue = /^(?:[eE]?'|\$(?:[A-Za-z_]\w*)?\$|\.?\d)/.test(part);
  return isValue ? '?' : part;
}

const MOST_CHARACTERS = 100;

/**
 * The text of a statement without comments and constants, on one line, and cut where it is long. PostgreSQL replaces the
 * constants of most statements. Those of others, such as `alter role … password 'x'`, remain, and comments often contain
 * the id of a trace. A server that has lost its file of texts returns NULL.
 */
export function statementText(sql: unknown): string | undefined {
  if (typeof sql !== 'string') return undefined;
  let text = '';
  for (let at = 0; at < sql.length;) {
    const { written, end } = tokenAt(sql, at);
    text += written;
    at = end;
  }
  const characters = Array.from(text.replaceAll(/\s+/g, ' ').trim());
  if (characters.length <= MOST_CHARACTERS) return characters.join('');
  return `${characters
    .slice(0, MOST_CHARACTERS - 1)
    .join('')
    .trimEnd()}…`;
}

interface Token {
  readonly written: string;
  readonly end: number;
}

function tokenAt(sql: string, at: number): Token {
  if (sql.startsWith('/*', at)) return { written: ' ', end: commentEnd(sql, at) };
  const { kind, text } = read(sql, at);
  const end = at + text.length;
  if (kind === 'comment') return { written: ' ', end };
  if (kind === 'string') return stringEnd(sql, end);
  if (kind === 'dollar') return { written: '?', end: closing(sql, text, end) };
  return { written: kind === 'number' ? '?' : text, end };
}

/** The first alternative that matches decides. */
const TOKEN =
  /(?<comment>--[^\n]*)|(?<string>(?:[eEbBxXnN]|[uU]&)?')|(?<dollar>\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$)|(?<name>"(?:[^"]|"")*(?:"|$)|\$\d+|[\p{L}_][\p{L}\p{N}_$]*)|(?<number>\.?\d(?:[eE][+-]|[\p{L}\p{N}_.])*)|[^]/uy;

function read(sql: string, at: number): { readonly kind: string; readonly text: string } {
  TOKEN.lastIndex = at;
  const { 0: text, groups = {} } = TOKEN.exec(sql)!;
  return { kind: Object.keys(groups).find((kind) => groups[kind] !== undefined) ?? 'other', text };
}

/** A setting decides whether a backslash escapes a quote. Where it matters, the rest is left out. */
function stringEnd(sql: string, start: number): Token {
  for (let at = start; at < sql.length; at++) {
    if (sql[at] === '\\' && sql[at + 1] === "'") return { written: '? …', end: sql.length };
    if (sql[at] !== "'") continue;
    if (sql[at + 1] !== "'") return { written: '?', end: at + 1 };
    at++;
  }
  return { written: '?', end: sql.length };
}

/** Comments can be nested. */
function commentEnd(sql: string, start: number): number {
  let depth = 0;
  for (let at = start; at < sql.length; at++) {
    if (sql.startsWith('/*', at)) depth++;
    else if (sql.startsWith('*/', at)) depth--;
    else continue;
    at++;
    if (depth === 0) return at + 1;
  }
  return sql.length;
}

function closing(sql: string, tag: string, from: number): number {
  const at = sql.indexOf(tag, from);
  return at < 0 ? sql.length : at + tag.length;
}

/** Finds the command of an SQL text, without a parser. */
import { sqlVerbs } from '../metrics/third-party.ts';
import { endOfComment } from '../privacy/nested-comment.ts';

export type SqlVerb = (typeof sqlVerbs)[number];

/** Far beyond comments and common table expressions; a longer text may hold megabytes of values. */
const MAX_SCANNED_CHARACTERS = 10_000;

const TOKEN = /\s+|--[^\n]*|\/\*|'[^']*'?|"[^"]*"?|\$\w*\$|[a-z_]\w*|./isy;

/** Most texts begin with their command, and need no scan. */
const PLAIN = /^[a-z]+(?![\w$])/i;

const VERBS: ReadonlySet<string> = new Set(sqlVerbs);
const AFTER_WITH: ReadonlySet<string> = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'VALUES', 'TABLE']);

/**
 * Returns the first command in upper case, behind comments, parentheses and the expressions of `with`; undefined if it is
 * not one of PostgreSQL's commands. Nothing else of the text is returned, because it may hold personal data.
 */
export function sqlVerb(sql: string): SqlVerb | undefined {
  const plain = PLAIN.exec(sql)?.[0].toUpperCase();
  if (isVerb(plain)) return plain;
  const tokens = tokensOf(sql.slice(0, MAX_SCANNED_CHARACTERS));
  const first = firstCommandOf(tokens)?.toUpperCase();
  if (first === 'WITH') return verbAfterWith(tokens);
  return isVerb(first) ? first : undefined;
}

/** Leaves the rest in the generator, which a `for … of` would close. */
function firstCommandOf(tokens: Generator<string, undefined>): string | undefined {
  let token = tokens.next().value;
  while (token !== undefined && /^(?:\s|--|\/\*|[(;])/.test(token)) token = tokens.next().value;
  return token;
}

function isVerb(word: string | undefined): word is SqlVerb {
  return word !== undefined && VERBS.has(word);
}

/** The expressions are within parentheses. */
function verbAfterWith(tokens: IterableIterator<string>): SqlVerb | undefined {
  let depth = 0;
  for (const token of tokens) {
    const word = token.toUpperCase();
    if (depth === 0 && AFTER_WITH.has(word) && isVerb(word)) return word;
    if (token === '(') depth++;
    if (token === ')') depth--;
  }
  return undefined;
}

/** The beginning of a comment, or of a text between dollars, stands for the whole. */
function* tokensOf(text: string): Generator<string, undefined> {
  for (let at = 0; at < text.length;) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0] ?? '';
    at = endOf(token, text, at);
    yield token;
  }
}

/** Comments and texts between dollars end where their own end is. */
function endOf(token: string, text: string, at: number): number {
  const behind = at + token.length;
  if (token === '/*') return endOfComment(text, behind);
  if (!/^\$\w*\$$/.test(token)) return behind;
  const end = text.indexOf(token, behind);
  return end === -1 ? text.length : end + token.length;
}

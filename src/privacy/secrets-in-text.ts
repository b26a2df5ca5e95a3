/** Finds secrets in texts that people and programs write: messages of errors, stacks, lines of logs. */
import { FILTERED, isSecretName } from './secret-names.ts';

/** Most texts have none of these, and need no other look. */
const HINTS =
  /:\/\/|pass|pwd|secret|token|api.?key|access.?key|private.?key|auth|bearer|cookie|credential|eyj|akia|gh[pousr]_|sk_|xox/i;

const USER_INFO = /(\b[a-z][a-z\d+.-]{0,30}:\/\/)[^\s/?#@]{1,1024}@/gi;

/** `Bearer`, in texts and in queries, whose spaces may be encoded. */
const BEARER = /\b(bearer(?:\s|\+|%20){1,8})[\w.~+/=%-]{6,}/gi;

/** The value of a header, with its scheme. */
const AUTHORIZATION =
  /\b((?:proxy-)?authorization["']?\s{0,8}[:=]\s{0,8}["']?(?:[a-z]{1,20}\s{1,8})?)(?!\[Filtered\])[^\s"',;]{3,}/gi;

/** `password=…`, `"apiKey": "…"`. Quoted values end at the quote, others at a space or a separator. Placeholders stay. */
const ASSIGNMENT =
  /\b([\w-]{0,64}(?:password|passwd|passphrase|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|cookie|credentials?))(["']?\s{0,8}[:=]\s{0,8})("[^"\n]*"?|'[^'\n]*'?|(?!\[Filtered\]|\?|\$\d)[^\s,;&"']+)/gi;

/** JSON Web Tokens and the keys of well-known services are recognizable without a name. */
const RECOGNIZABLE =
  /\beyJ[\w-]{8,}\.[\w-]{2,}(?:\.[\w-]*)?|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bsk_(?:live|test)_\w{10,}|\bxox[abprs]-[\w-]{10,}/g;

/** A parameter of a query, or a part of one that has no name. */
const PARAMETER = /([?&;]|^)([^=&;?#\s]{1,256})=([^&;#\s"'<>]*)/g;
const NAMELESS = /([?&;])([\w.~%+-]{16,})(?=[&;#\s"'<>)]|$)/g;

/** Values of queries may hold queries: addresses to return to, encoded once or twice. */
const MAX_DECODINGS = 3;

/** Replaces secrets by `[Filtered]`. Takes time in proportion to the length of the text. */
export function withoutSecrets(text: string): string {
  if (!HINTS.test(text)) return text;
  const addresses = text.includes('://') ? withoutSecretParameters(text.replace(USER_INFO, `$1${FILTERED}@`)) : text;
  return addresses
    .replace(RECOGNIZABLE, FILTERED)
    .replace(AUTHORIZATION, `$1${FILTERED}`)
    .replace(BEARER, `$1${FILTERED}`)
    .replace(ASSIGNMENT, `$1$2${FILTERED}`);
}

/** The same for a query, or a text with addresses. */
export function withoutSecretParameters(text: string): string {
  return text
    .replace(PARAMETER, (all: string, before: string, name: string, value: string) =>
      isSecretName(decoded(name)) || holdsSecret(value) ? `${before}${name}=${FILTERED}` : all,
    )
    .replace(NAMELESS, `$1${FILTERED}`);
}

/** A query that has no question mark before it. */
export function withoutSecretQuery(query: string): string {
  const text = withoutSecretParameters(`?${query.startsWith('?') ? query.slice(1) : query}`);
  return query.startsWith('?') ? text : text.slice(1);
}

/** Encoded values, values with names, and recognizable ones. */
const SUSPECT = /[%+:=]|eyJ|AKIA|gh[pousr]_|sk_|xox/;

function holdsSecret(value: string): boolean {
  if (!SUSPECT.test(value)) return false;
  let text = value;
  for (let depth = 0; depth < MAX_DECODINGS; depth++) {
    if (text !== FILTERED && withoutNested(text) !== text) return true;
    const next = decoded(text.replaceAll('+', ' '));
    if (next === text) return false;
    text = next;
  }
  return false;
}

/** Differs from the text if that holds a secret. */
function withoutNested(text: string): string {
  const cleaned = text.replace(USER_INFO, '').replace(RECOGNIZABLE, '').replace(BEARER, '');
  return cleaned.replace(PARAMETER, (all: string, _before: string, name: string) =>
    isSecretName(decoded(name)) ? '' : all,
  );
}

/** Servers decode names and values before they read them. */
function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Finds secrets in texts that people and programs write: messages of errors, stacks, lines of logs. */
import { FILTERED, isSecretParameter } from './secret-names.ts';

/** Most texts have none of these, and need no other look. */
const HINTS =
  /:\/\/|pass|pw|secret|token|api.?key|access.?key|private.?key|(?:signing|encryption|master).?key|auth|bearer|cookie|credential|eyj|akia|gh[pousr]_|sk_|xox|-u\s|-user|\?[\w.~%[\]-]{1,256}=/i;

/** A text that has an address, or a path with a query. */
const ADDRESS = /:\/\/|\?[\w.~%[\]-]{1,256}=/;

const USER_INFO = /(\b[a-z][a-z\d+.-]{0,30}:\/\/)[^\s/?#@]{1,1024}@/gi;

/** A private key of OpenSSL, OpenSSH or PGP, also one that is cut. */
const PRIVATE_KEY =
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)/g;

/** `Bearer`, in texts and in queries, whose spaces may be encoded. */
const BEARER = /\b(bearer(?:\s|\+|%20){1,8})[\w.~+/=%-]{6,}/gi;

/** The value of a header, with its scheme. */
const AUTHORIZATION =
  /\b((?:proxy-)?authorization["']?\s{0,8}[:=]\s{0,8}["']?(?:[a-z]{1,20}\s{1,8})?)(?!\[Filtered\])[^\s"',;]{3,}/gi;

const PASSWORD = 'password|passwd|passphrase|pwd?';
const NAME = `${PASSWORD}|secret|token|(?:api|access|private|secret|signing|encryption|master)[-_.]?key|cookie|credentials?`;

/** A backslash keeps a quote from ending a value. The last three are quoted in a text that is quoted itself. */
const QUOTED = [
  String.raw`"(?:[^"\\\n]|\\[^\n])*["\\]?`,
  String.raw`'(?:[^'\\\n]|\\[^\n])*['\\]?`,
  String.raw`\\"(?:[^"\\\n]|\\\\(?:\\[^\n]|[^\\\n]))*(?:\\"|\\*)`,
  String.raw`\\{2,8}"[^"\n]*"?`,
  String.raw`\\{1,8}'[^'\n]*'?`,
].join('|');

/** `password=…`, `"apiKey": "…"`. Quoted values end at the quote, others at a space or a separator. Placeholders stay. */
const ASSIGNMENT = new RegExp(
  String.raw`(${NAME})((?:\\{0,8}["'])?\s{0,8}(?:[:=]|%3[ad])\s{0,8})(${QUOTED}|(?!\[Filtered\]|\?|\$\d)[^\s,;&"']+)`,
  'gi',
);

/** `PASSWORD '…'`, as in SQL. */
const QUOTED_PASSWORD = new RegExp(String.raw`((?:${PASSWORD})\s{1,8})(?:${QUOTED})`, 'gi');

/** `--password …` */
const OPTION = new RegExp(
  String.raw`((?:${NAME})\s{1,8}(?<=--[\w-]{0,80}\s{1,8}))(?:${QUOTED}|(?!\[Filtered\]|-)[^\s"']+)`,
  'gi',
);

/** The user and the password for `curl`. Two numbers are a user and a group. */
const USER_OPTION =
  /(?<![\w-])((?:-u|--user|--proxy-user)(?:\s{1,8}|=)["']?)(?!\d{1,10}:\d{1,10}(?:\s|$))[^\s:"']{1,256}:[^\s"']+/g;

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
  const addresses = ADDRESS.test(text) ? withoutSecretParameters(text.replace(USER_INFO, `$1${FILTERED}@`)) : text;
  return addresses
    .replace(PRIVATE_KEY, FILTERED)
    .replace(RECOGNIZABLE, FILTERED)
    .replace(AUTHORIZATION, `$1${FILTERED}`)
    .replace(BEARER, `$1${FILTERED}`)
    .replace(ASSIGNMENT, `$1$2${FILTERED}`)
    .replace(QUOTED_PASSWORD, `$1${FILTERED}`)
    .replace(OPTION, `$1${FILTERED}`)
    .replace(USER_OPTION, `$1${FILTERED}`);
}

/** The same for a query, or a text with addresses. */
export function withoutSecretParameters(text: string): string {
  return text
    .replace(PARAMETER, (all: string, before: string, name: string, value: string) =>
      isSecretParameter(decoded(name)) || holdsSecret(value) ? `${before}${name}=${FILTERED}` : all,
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
    isSecretParameter(decoded(name)) ? '' : all,
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

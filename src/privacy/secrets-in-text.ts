/** Finds secrets in texts that people and programs write: messages of errors, stacks, lines of logs. */
import { withoutOpaqueSegments } from './opaque-segments.ts';
import { FILTERED, isSecretParameter, PASSWORD, SECRET_WORDS } from './secret-names.ts';

/** Most texts have none of these. Each secret outside of an address has one of them before it, or in it. */
const HINTS =
  /pass|pw|secret|token|api.?key|access.?key|private.?key|(?:signing|encryption|master).?key|auth|verifier|bearer|cookie|credential|identified|eyj|akia|asia|gh[pousr]_|github_pat|glpat|npm_|hf_|aiza|ya29|gocspx|sg\.|sk[_-]|rk_|whsec|xox|sntry|dop_v|shp[acps]|pypi-|basic|\/bot\d|hooks|-u\s|-user|mysql|mariadb/i;

/** Words that are less certain. They count in a text with an address. */
const WEAK_HINTS = /value|jwt|-u=/i;

/** A text that has an address, or a path with a query. */
const ADDRESS = /:\/\/|\?[\w.~%[\]-]{1,256}=/;

/** Passwords may have an unencoded `@`, `/` or `#`. What follows a host is a port, and not a password. */
const USER_INFO =
  /(\b[a-z][a-z\d+.-]{0,30}:\/\/)(?:[^\s/?#@]{1,1024}|(?!\[)[^\s/?#@:]{0,100}:(?!\d{1,5}[/?#]|[${<*])[^\s/?#@]{1,100}[/?#][^\s"'`<>@]{0,100})@(?:[^\s/?#"'`<>,;{}\\]{0,100}@)?/gi;

/** A private key of OpenSSL, OpenSSH or PGP, also one that is cut. */
const PRIVATE_KEY =
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)/g;

/** `Bearer`, in texts and in queries, whose spaces may be encoded. */
const BEARER = /\b(bearer(?:\s|\+|%20){1,8})[\w.~+/=%-]{6,}/gi;

/** `Basic` with text that may be a user and a password in Base64. Other words follow it, too. */
const BASIC = /\b(basic(?:\s|\+|%20){1,8})([\w+/-]{4,}(?:={1,2}|(?:%3d){1,2})?)/gi;

/** The value of a header, with its scheme. */
const AUTHORIZATION =
  /\b((?:proxy-)?authorization["']?\s{0,8}(?:=>|=(?!>)|:)\s{0,8}(?:\[(?!Filtered\])\s{0,8})?["']?(?:[a-z]{1,20}\s{1,8})?)(?!(?:[a-z]{1,20}\s{1,8})?\[Filtered\])[^\s"',;]{3,}/gi;

/** A backslash keeps a quote from ending a value. The last three are quoted in a text that is quoted itself. */
const QUOTED = [
  String.raw`"(?:[^"\\\n]|\\[^\n])*["\\]?`,
  String.raw`'(?:[^'\\\n]|\\[^\n])*['\\]?`,
  String.raw`\\"(?:[^"\\\n]|\\\\(?:\\[^\n]|[^\\\n]))*(?:\\"|\\*)`,
  String.raw`\\{2,8}"[^"\n]*"?`,
  String.raw`\\{1,8}'[^'\n]*'?`,
].join('|');

const QUOTE = String.raw`(?:\\{0,8}["']|%(?:25){0,2}2[27])`;
/** A list of quoted values. */
const LIST = String.raw`\[\s{0,40}(?=\\{0,8}["'])(?:[\s,]|${QUOTED})*\]?`;
/** The rest of a value ends at a space or a separator. Placeholders stay. */
const VALUE = String.raw`(?:${QUOTED}|${LIST}|(?!\[Filtered\]|\?|\$\d)[^\s,;&"']+)`;

/** `password=…`, `"apiKey": "…"`, `'token' => [ '…' ]` */
const ASSIGNMENT = new RegExp(
  String.raw`((?:${SECRET_WORDS})${QUOTE}?\s{0,8}(?:=>|=(?!>)|:|%3[ad])\s{0,8})${VALUE}`,
  'gi',
);

/** `{ name: 'password', value: '…' }`, `<add key="password" value="…">` */
const NAMED_VALUE = new RegExp(
  String.raw`(\b(?:name|key)${QUOTE}?\s{0,8}[:=]\s{0,8}${QUOTE}?([\w.-]{1,64})${QUOTE}?(?:\s{0,8}[,\n]\s{0,40}|\s{1,8})${QUOTE}?value${QUOTE}?\s{0,8}[:=]\s{0,8})${VALUE}`,
  'gi',
);

/** `['x-api-key', '…', 'cookie', '…']`, as Node.js has the headers of a request. */
const RAW_HEADER = new RegExp(
  String.raw`((?:-(?:auth|jwt|${SECRET_WORDS})|authorization|cookie)(?<=["'][\w-]{1,64})\\{0,8}["']\s{0,8},\s{0,40})(${QUOTED})`,
  'gi',
);

/** `<password>…</password>` */
const ELEMENT = new RegExp(
  String.raw`((?:${SECRET_WORDS})(?<=<[\w:.-]{1,64})(?:\s[^<>]{0,200})?>)(?!\s{0,8}\[Filtered\])(?:<!\[CDATA\[)?[^<]{1,4096}(?=<\/)`,
  'gi',
);

/** `PASSWORD '…'` and `IDENTIFIED BY '…'`, as in SQL. */
const QUOTED_PASSWORD = new RegExp(
  String.raw`((?:${PASSWORD}|identified\s{1,8}(?:with\s{1,8}\S{1,64}\s{1,8})?(?:by|as))\s{1,8})(?:${QUOTED})`,
  'gi',
);

/** `--password …` */
const OPTION = new RegExp(
  String.raw`((?:${SECRET_WORDS})\s{1,8}(?<=--[\w-]{0,80}\s{1,8}))(?:${QUOTED}|(?!\[Filtered\]|-)[^\s"']+)`,
  'gi',
);

/** The user and the password for `curl`. Two numbers are a user and a group. */
const USER_OPTION =
  /(?<![\w-])((?:-u|--user|--proxy-user)(?:\s{1,8}|=)["']?)(?!\d{1,10}:\d{1,10}(?:\s|$))[^\s:"']{1,256}:[^\s"']+/g;

/** `pass: …`. Results of tests have numbers there, and words for yes and no. */
const PASS = new RegExp(
  String.raw`(\bpass${QUOTE}?\s{0,8}(?:=>|=(?!>)|:)\s{0,8})(?!\d{1,6}(?:[\s,;/%})]|$)|(?:true|false|null|undefined|yes|no|ok|none)\b)${VALUE}`,
  'gi',
);

/** `token is …`, and `AUTH …` of Redis in a sentence. Prose has words there. */
const STATED = new RegExp(
  String.raw`((?:(?:${SECRET_WORDS})\s{1,8}(?:is|was)|\bauth(?:\s{1,8}default)?)\s{1,8}["']?)([^\s,;"']{6,256})`,
  'gi',
);

/** The whole command of Redis, with or without a user. */
const REDIS_COMMAND =
  /^(\s{0,8}AUTH\s{1,8}(?:[^\s"']{1,256}\s{1,8})?)(?!\?|\[Filtered\]|(?:failed|required|error|ok)\b)(?:"[^"]*"|'[^']*'|[^\s"']+)(?=\s{0,8}$)/i;

/** The password for the clients of MySQL. */
const MYSQL_PASSWORD = /(\b(?:mysql|mariadb)[\w-]{0,20}\s(?:[^\n]{0,200}?\s)?-p)(?!\[Filtered\])[^\s"']+/g;

/** JSON Web Tokens and the keys of well-known services are recognizable without a name, in paths as well. */
const RECOGNIZABLE = new RegExp(
  [
    String.raw`\beyJ[\w-]{8,}\.[\w-]{2,}(?:\.[\w-]*)?`,
    String.raw`\b(?:AKIA|ASIA)[0-9A-Z]{16}\b`,
    String.raw`\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|npm_[A-Za-z0-9]{30,}|hf_[A-Za-z0-9]{30,}|pypi-[\w-]{40,})`,
    String.raw`\b(?:[sr]k_(?:live|test)_\w{10,}|whsec_\w{20,}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32})`,
    String.raw`\bsk-(?=[\w-]{0,40}\d)[\w-]{20,}`,
    String.raw`\bxox[abprs]-[\w-]{10,}`,
    String.raw`\b(?:AIza[\w-]{35}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}|dop_v1_[0-9a-f]{40,}|sntry[su]_[\w+/=-]{20,})`,
    String.raw`(?<=\/bot)\d{6,12}:[\w-]{30,}`,
    String.raw`(?<=\bhooks\.slack\.com\/services\/)[\w/]{20,}`,
    String.raw`(?<=\/webhooks\/\d{15,22}\/)[\w-]{40,}`,
  ].join('|'),
  'g',
);

/** A parameter of a query, or a part of one that has no name. */
const PARAMETER = /([?&;]|^)([^=&;?#\s]{1,256})=([^&;#\s"'<>]*)/g;
const NAMELESS = /([?&;])([\w.~%+-]{16,})(?=[&;#\s"'<>)]|$)/g;

/** Values of queries may hold queries: addresses to return to, encoded once or twice. */
const MAX_DECODINGS = 3;

/** Characters that are not seen may be within a word: `pass\u200Bword`. */
const INVISIBLE = /\p{Cf}/gu;

/** Replaces secrets by `[Filtered]`. Takes time in proportion to the length of the text. */
export function withoutSecrets(given: string): string {
  const cleaned = withoutVisibleSecrets(given);
  const visible = cleaned.replaceAll(INVISIBLE, '');
  if (visible === cleaned) return cleaned;
  const cleanedAgain = withoutVisibleSecrets(visible);
  return cleanedAgain === visible ? cleaned : cleanedAgain;
}

function withoutVisibleSecrets(given: string): string {
  const text = withoutOpaqueSegments(given);
  if (!ADDRESS.test(text)) return HINTS.test(text) ? withoutSecretWords(text) : text;
  const rest = withoutSecretParameters(text.includes('@') ? text.replace(USER_INFO, `$1${FILTERED}@`) : text);
  return HINTS.test(rest) || WEAK_HINTS.test(rest) ? withoutSecretWords(rest) : rest;
}

function withoutSecretWords(text: string): string {
  return text
    .replace(PRIVATE_KEY, FILTERED)
    .replace(RECOGNIZABLE, FILTERED)
    .replace(AUTHORIZATION, `$1${FILTERED}`)
    .replace(BEARER, `$1${FILTERED}`)
    .replace(BASIC, (all: string, scheme: string, rest: string) => (isUserAndPassword(rest) ? scheme + FILTERED : all))
    .replace(NAMED_VALUE, (all: string, before: string, name: string) =>
      isSecretParameter(name) ? before + FILTERED : all,
    )
    .replace(RAW_HEADER, (all: string, before: string, value: string) =>
      isHeaderValue(before, value) ? before + FILTERED : all,
    )
    .replace(ELEMENT, `$1${FILTERED}`)
    .replace(ASSIGNMENT, `$1${FILTERED}`)
    .replace(QUOTED_PASSWORD, `$1${FILTERED}`)
    .replace(OPTION, `$1${FILTERED}`)
    .replace(USER_OPTION, `$1${FILTERED}`)
    .replace(PASS, `$1${FILTERED}`)
    .replace(REDIS_COMMAND, `$1${FILTERED}`)
    .replace(MYSQL_PASSWORD, `$1${FILTERED}`)
    .replace(STATED, (all: string, before: string, value: string) => (looksLikeToken(value) ? before + FILTERED : all));
}

/** Algorithms and lengths have digits, too. */
const WORD_WITH_DIGITS =
  /^(?:base-?\d|utf-?\d|sha-?\d|md5|oauth-?2|[hrep]s\d{3}|http|x509|ipv\d|\d{1,6}-?(?:ms|s|min|h|d|day|char|byte|bit|letter|digit))/i;

function looksLikeToken(text: string): boolean {
  return /\d/.test(text) && /[A-Za-z]/.test(text) && !WORD_WITH_DIGITS.test(text);
}

/** Lists of names of headers have no values: `['authorization', 'content-type']`. Cookies have an equals sign. */
function isHeaderValue(before: string, quoted: string): boolean {
  const value = quoted.replaceAll(/["'\\]/g, '');
  if (/^\W*cookie/i.test(before)) return value.includes('=');
  return (
    value.length > 2 &&
    !/^(?:[a-z]+(?:-[a-z\d]+)+|accept|origin|host|range|date|cookie|authorization|true|false|null)$/i.test(value)
  );
}

/** The same for a query, or a text with addresses. */
export function withoutSecretParameters(text: string): string {
  const named = text.includes('=')
    ? text.replace(PARAMETER, (all: string, before: string, name: string, value: string) =>
        isSecretParameter(decoded(name)) || holdsSecret(value) ? `${before}${name}=${FILTERED}` : all,
      )
    : text;
  return /[?&;]/.test(named) ? named.replace(NAMELESS, `$1${FILTERED}`) : named;
}

/** A query that has no question mark before it. */
export function withoutSecretQuery(query: string): string {
  const text = withoutSecrets(withoutSecretParameters(`?${query.startsWith('?') ? query.slice(1) : query}`));
  return query.startsWith('?') ? text : text.slice(1);
}

/** `{"password": …}`, in the value of a parameter. */
const MEMBER = new RegExp(String.raw`(?:${SECRET_WORDS})\\{0,8}["']\s{0,8}:`, 'gi');

/** Encoded values, values with names, and recognizable ones. */
const SUSPECT =
  /[%+:=]|eyJ|AKIA|ASIA|gh[pousr]_|github_pat|glpat|npm_|hf_|pypi|[sr]k[_-]|whsec|shp|xox|AIza|ya29|GOCSPX|SG\.|dop_v|sntry|\/bot|hooks/;

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
  const cleaned = text
    .replace(USER_INFO, '')
    .replace(MEMBER, '')
    .replace(RECOGNIZABLE, '')
    .replace(BEARER, '')
    .replace(BASIC, (all: string, _scheme: string, credentials: string) => (isUserAndPassword(credentials) ? '' : all));
  return cleaned.replace(PARAMETER, (all: string, _before: string, name: string) =>
    isSecretParameter(decoded(name)) ? '' : all,
  );
}

/** The beginning decides, because a text may be cut. */
const MAX_CREDENTIALS = 400;

/** In Base64, as the scheme `Basic` has them. */
function isUserAndPassword(text: string): boolean {
  if (!/[A-Z\d]/.test(text)) return false;
  const decodedText = fromBase64(decoded(text.slice(0, MAX_CREDENTIALS)));
  return /^[\x20-\x7e\xa0-\xff]+$/.test(decodedText) && decodedText.includes(':');
}

/** Decodes a text that is cut or has the characters of addresses, too, as `Buffer` does, which browsers do not have. */
function fromBase64(text: string): string {
  const plain = text
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replaceAll(/[^A-Za-z\d+/]/g, '');
  return atob(plain.length % 4 === 1 ? plain.slice(0, -1) : plain);
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

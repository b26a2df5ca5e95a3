/** A path has a token if one of its parts is long, or follows the name of a code. No other path is examined. */
const LONG = /\/[\w%~.;=-]{16}/;
const CODE = /(?:verify|verification|reset|magic|link|otp|2fa|mfa|activate|password)\/[A-Z\d]{4}/i;

/** True if a path in the text may have a token. */
export function mayHaveOpaqueParts(text: string): boolean {
  return LONG.test(text) || mayHaveCodes(text);
}

/** True if something in the text follows the name of a code. */
export function mayHaveCodes(text: string): boolean {
  return CODE.test(text);
}

/** Replaces tokens in a path, perhaps with a query: parts that only a program can have written. */
export function replaceOpaqueParts(path: string, replace: (part: string) => string): string {
  if (!mayHaveOpaqueParts(path)) return path;
  const end = path.search(/[?#]/);
  const parts = (end < 0 ? path : path.slice(0, end)).split('/');
  const cleaned = parts.map((part, index) => (isOpaque(part, parts[index - 1] ?? '') ? replace(part) : part));
  return cleaned.join('/') + (end < 0 ? '' : path.slice(end));
}

/** A part after these is a secret more often than the name of something. */
const BEFORE_SECRETS =
  /(?:^|[-_.])(?:tokens?|sessions?|secrets?|jwt|auth|oauth|login|sso|otp|ticket|magic(?:[-_]?link)?|reset(?:[-_]?password)?|password|verify|verification|confirm(?:ation)?|activat(?:e|ion)|invit(?:e|es|ation|ations)|unsubscribe|share|signed|keys?|apikeys?|webhooks?|hooks?|callback)$/i;

/** A part after these is a secret if it is random. Most are names of something, also names with numbers. */
const BEFORE_LINKS = /(?:^|[-_.])(?:sign[-_]?up|register|join|downloads?|accept)$/i;

/** A short code after these is a secret for one use. */
const BEFORE_CODES =
  /(?:^|[-_.])(?:verify|verification|reset(?:[-_]?password)?|password[-_]?reset|magic(?:[-_]?link)?|otp|2fa|mfa|activate)$/i;

/** A part after these is the hash of public content, or the id of a trace. */
const BEFORE_HASHES = /^(?:commits?|trees?|blobs?|objects|git|sha256|digests?|static|assets|chunks|traces?|spans?)$/i;

const HEX = /^(?:[\da-f]{32,}|[\dA-F]{32,})$/;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Longer parts are cut before they are examined: their beginning decides. */
const MAX_EXAMINED = 200;

function isOpaque(part: string, partBefore: string): boolean {
  const before = partBefore.slice(-MAX_EXAMINED);
  if (part.length < 16) return isCode(part) && BEFORE_CODES.test(before);
  const text = part.slice(0, MAX_EXAMINED);
  if (HEX.test(text)) return !BEFORE_HASHES.test(before);
  if (BEFORE_SECRETS.test(before)) return UUID.test(text) || isMixed(text) || isRandomWord(text);
  if (UUID.test(text)) return false;
  if (BEFORE_LINKS.test(before)) return isRandomWord(text) || isRandomLink(text);
  return text.length >= 32 && isRandom(text);
}

/** Digits, or letters among them: `X509CERT` and `reset-2024` are names, and `7F3K9Q` is not. */
function isCode(text: string): boolean {
  const digits = text.replaceAll(/\D/g, '').length;
  if (/^\d+$/.test(text)) return digits >= 4 && digits <= 10;
  if (/^[A-Z\d]{6,15}$/.test(text) && changesOf(text) >= 3) return true;
  if (text.length < 6 || digits < 3) return false;
  if (/^[A-Za-z\d]+$/.test(text)) return digits >= 5 || changesOf(text) >= 3;
  return /^[\w~-]+$/.test(text) && changesOf(text.replaceAll(/[_~-]/g, '')) >= 4;
}

/** Ids of databases have only the digits of hexadecimal numbers, and are shorter than secrets. */
function isRandomLink(text: string): boolean {
  return text.length > 20 && !/^[\da-f]+$/i.test(text) && isRandom(text);
}

/** True if letters and digits mix within a word: `reset-2024` is a title, and `a8f3` is not. */
function isMixed(text: string): boolean {
  return /[A-Za-z]\d+[A-Za-z]|\d[A-Za-z]+\d/.test(text) && /^[\w~%.-]+$/.test(text);
}

/**
 * Random text changes between small letters, capitals and digits at every second character. Words do not: in those that
 * a capital separates, every third does, and they have few digits. Titles have many hyphens, and names of products
 * between them that look random.
 */
function isRandom(text: string): boolean {
  if (!/^[\w~-]+$/.test(text)) return false;
  const words = text.split(/[_~-]/);
  if (words.length - 1 > text.length / 8) return false;
  const digits = text.replaceAll(/\D/g, '').length;
  const changes = words.reduce((sum, word) => sum + changesOf(word), 0);
  const share = changes / (text.length + 1 - 2 * words.length);
  if (/[a-z]/.test(text) && /[A-Z]/.test(text)) return digits >= 2 && share >= 0.45;
  return digits >= 4 && share >= 0.25 && words.length === 1;
}

/** Random letters change in the same way, and have fewer vowels and more capitals in a row than words and abbreviations. */
function isRandomWord(text: string): boolean {
  if (text.length <= 20 || !/^[A-Za-z\d]+$/.test(text)) return false;
  const vowels = text.replaceAll(/[^aeiou]/gi, '').length;
  const capitals = text.match(/[A-Z]{2,}/g)?.length ?? 0;
  return changesOf(text) / (text.length - 1) >= 0.35 && vowels / text.length <= 0.3 && capitals >= 2;
}

/** How often small letters, capitals and digits follow each other. */
function changesOf(word: string): number {
  const kinds = word.replaceAll(/[a-z]/g, 'a').replaceAll(/[A-Z]/g, 'A').replaceAll(/\d/g, '0');
  return Math.max(0, kinds.replaceAll(/(.)(?=\1)/g, '').length - 1);
}

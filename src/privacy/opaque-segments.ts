/** Finds tokens in the paths of addresses: parts that only a program can have written. */
import { FILTERED } from './secret-names.ts';

/** No shorter part of a path is a token. */
const LONG_SEGMENT = /\/[\w%~.;=-]{16}/;

/** Addresses, and requests as names and log lines have them. The path ends at a query. */
const PATHS =
  /(?:\bhttps?:\/\/[^\s/?#"'<>]{1,1024}|\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\s)(\/[^\s?#"'<>]{16,16384})/g;

/** A part after these is a secret more often than the name of something. */
const BEFORE_SECRETS =
  /(?:^|[-_.])(?:tokens?|sessions?|secrets?|jwt|auth|oauth|login|sso|otp|ticket|magic(?:[-_]?link)?|reset(?:[-_]?password)?|password|verify|verification|confirm(?:ation)?|activat(?:e|ion)|invit(?:e|es|ation|ations)|unsubscribe|share|signed|keys?|apikeys?|webhooks?|hooks?|callback)$/i;

/** A part after these is the hash of public content, or the id of a trace. */
const BEFORE_HASHES = /^(?:commits?|trees?|blobs?|objects|git|sha256|digests?|static|assets|chunks|traces?|spans?)$/i;

const HEX = /^(?:[\da-f]{32,}|[\dA-F]{32,})$/;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Replaces tokens in each path of a text by `[Filtered]`. Takes time in proportion to the length of the text. */
export function withoutOpaqueSegments(text: string): string {
  if (!LONG_SEGMENT.test(text)) return text;
  return text.replace(PATHS, (all: string, path: string) => {
    const cleaned = withoutOpaqueParts(path);
    return cleaned === path ? all : all.slice(0, all.length - path.length) + cleaned;
  });
}

/** The same for a text that is a path, perhaps with a query. */
export function withoutOpaqueParts(path: string): string {
  if (!LONG_SEGMENT.test(path)) return path;
  const end = path.search(/[?#]/);
  const segments = (end < 0 ? path : path.slice(0, end)).split('/');
  const cleaned = segments.map((segment, index) => (isOpaque(segment, segments[index - 1] ?? '') ? FILTERED : segment));
  return cleaned.join('/') + (end < 0 ? '' : path.slice(end));
}

/** Longer parts are cut before they are examined: their beginning decides. */
const MAX_EXAMINED = 200;

function isOpaque(segment: string, before: string): boolean {
  if (segment.length < 16 || segment === FILTERED) return false;
  const text = segment.slice(0, MAX_EXAMINED);
  if (HEX.test(text)) return !BEFORE_HASHES.test(before);
  if (BEFORE_SECRETS.test(before.slice(-MAX_EXAMINED))) return UUID.test(text) || isMixed(text);
  return !UUID.test(text) && text.length >= 32 && isRandom(text);
}

/** True if letters and digits mix within a word: `reset-2024` is a title, and `a8f3` is not. */
function isMixed(text: string): boolean {
  return /[A-Za-z]\d+[A-Za-z]|\d[A-Za-z]+\d/.test(text) && /^[\w~%.-]+$/.test(text);
}

/**
 * Random text changes between small letters, capitals and digits at every second character. Words do not: in those that
 * a capital separates, every third does, and they have few digits.
 */
function isRandom(text: string): boolean {
  if (!/^[\w~-]+$/.test(text)) return false;
  const digits = text.replaceAll(/\D/g, '').length;
  const kinds = text.replaceAll(/[a-z]/g, 'a').replaceAll(/[A-Z]/g, 'A').replaceAll(/\d/g, '0');
  const changes = kinds.replaceAll(/(.)(?=\1)/g, '').length - 1;
  const share = changes / (text.length - 1);
  if (/[a-z]/.test(text) && /[A-Z]/.test(text)) return digits >= 2 && share >= 0.45;
  return digits >= 4 && share >= 0.25 && !/[_~-]/.test(text);
}

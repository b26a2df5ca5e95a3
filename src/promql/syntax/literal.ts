/** Numbers, durations and texts, as Prometheus reads them. */
import { PromqlError } from '../promql-error.ts';

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/** Milliseconds; undefined for a text that is not a duration. */
export function durationMs(text: string): number | undefined {
  if (!/^(?:\d+(?:ms|[smhdwy]))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdwy])/g)) {
    total += Number(count) * (UNITS_MS[unit as string] as number);
  }
  return total;
}

/** A duration counts as its seconds. A leading 0 makes a number octal, as long as its digits allow that. */
export function numberOf(text: string, from: number): number {
  const plain = text.replaceAll('_', '').toLowerCase();
  const duration = durationMs(plain);
  if (duration !== undefined) return duration / 1000;
  if (plain === 'inf') return Infinity;
  if (plain === 'nan') return NaN;
  if (/^0[0-7]+$/.test(plain)) return Number.parseInt(plain, 8);
  const value = Number(plain);
  if (Number.isNaN(value)) throw PromqlError.at(from, `${text} is not a number`);
  return value;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** The text between quotes, with Go's escapes; between backticks nothing is escaped. */
export function textOf(quoted: string, from: number): string {
  const quote = quoted[0] as string;
  if (quoted.length < 2 || !quoted.endsWith(quote)) throw PromqlError.at(from, 'a text that does not end');
  const content = quoted.slice(1, -1);
  if (quote === '`') return content;
  if (content.includes('\n')) throw PromqlError.at(from, 'a text that does not end in its line');
  return content.replaceAll(
    /\\(?:(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-7]{3})|([^]?))/g,
    (whole, code?: string, letter = '') => {
      const character = code === undefined ? escapedLetter(letter, quote) : escapedCode(code);
      if (character === undefined) throw PromqlError.at(from, `the escape ${whole} is not supported`);
      return character;
    },
  );
}

/** Undefined if it is not a character. A byte above 0x7f may be a part of one. */
function escapedCode(text: string): string | undefined {
  const isHex = /^[xuU]/.test(text);
  const code = Number.parseInt(isHex ? text.slice(1) : text, isHex ? 16 : 8);
  const isByte = text.length === 3;
  const isSurrogate = code >= 0xd8_00 && code < 0xe0_00;
  return (isByte && code > 0x7f) || isSurrogate || code > 0x10_ff_ff ? undefined : String.fromCodePoint(code);
}

/** Only the quote around a text needs an escape in it. */
function escapedLetter(letter: string, quote: string): string | undefined {
  const isOtherQuote = (letter === '"' || letter === "'") && letter !== quote;
  return isOtherQuote ? undefined : ESCAPES[letter];
}

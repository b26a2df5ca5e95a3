export interface Flags {
  readonly ignoresCase: boolean;
  readonly dotFitsLine: boolean;
  readonly isMultiline: boolean;
}

export const NEWLINE = 10;

export function isNewline(code: number): boolean {
  return code === NEWLINE;
}

/** For `\b`: a letter, a digit or an underscore of ASCII. */
export function isWord(code: number): boolean {
  const lower = code | CASE_BIT;
  return (lower >= 0x61 && lower <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === UNDERSCORE;
}

/** The difference between `A` and `a`. */
const CASE_BIT = 0x20;
const UNDERSCORE = 0x5f;

/** Equal for characters that differ in case only. */
export function fold(character: string): string {
  return character.toLowerCase().toUpperCase();
}

const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: NEWLINE, r: 13, t: 9, v: 11 };

/** The character that an escape stands for, and where it ends. `at` is behind the backslash. */
export function readEscape(characters: readonly string[], at: number): { readonly code: number; readonly end: number } {
  const character = characters[at] ?? '';
  const control = CONTROLS[character];
  if (control !== undefined) return { code: control, end: at + 1 };
  const rest = characters.slice(at, at + 12).join('');
  const [all, long, short] = /^x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))/.exec(rest) ?? [];
  if (all !== undefined)
    return { code: codePoint(Number.parseInt(long ?? (short as string), 16)), end: at + all.length };
  const [octal] = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest) ?? [];
  if (octal !== undefined) return { code: Number.parseInt(octal, 8), end: at + octal.length };
  if (character === '' || /[\p{L}\p{N}]/u.test(character)) {
    throw new Error(`the pattern has an escape that RE2 does not have: \\${character}`);
  }
  return { code: character.codePointAt(0) as number, end: at + 1 };
}

function codePoint(code: number): number {
  if (code > 0x10_ff_ff) throw new Error('the pattern has a character that does not exist');
  return code;
}

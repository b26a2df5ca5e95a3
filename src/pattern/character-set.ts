import { fold, readEscape, type Flags } from './character.ts';

export type CharacterSet = (code: number) => boolean;

interface ReadSet {
  readonly fits: CharacterSet;
  /** The position behind it. */
  readonly end: number;
}

/** True if the character behind a backslash begins a set, as in `\d` or `\p{Greek}`. */
export function isEscapedSet(character: string): boolean {
  return /^[dDsSwWpP]$/.test(character);
}

/** The set behind a backslash; `at` is the position of its letter. */
export function escapedSet(characters: readonly string[], at: number): ReadSet {
  const letter = characters[at] ?? '';
  if (letter.toLowerCase() !== 'p') return { fits: charactersOf(`[\\${PERL[letter] ?? letter}]`), end: at + 1 };
  const rest = characters.slice(at + 1, at + 40).join('');
  const [all = '', negation = '', name = ''] = /^\{(\^?)(\w+)\}/.exec(rest) ?? /^()(\w)/.exec(rest) ?? [];
  const isNegated = (letter === 'P') !== (negation === '^');
  const fits = property(name);
  return { fits: isNegated ? (code) => !fits(code) : fits, end: at + 1 + all.length };
}

/** RE2's blank does not include other spaces of Unicode. */
const PERL: Readonly<Record<string, string>> = { s: 't\\n\\f\\r ', S: 'S' };

function charactersOf(source: string): CharacterSet {
  if (source === String.raw`[\S]`) return (code) => !/[\t\n\f\r ]/.test(String.fromCodePoint(code));
  const set = new RegExp(`^${source}$`, 'u');
  return remembered((code) => set.test(String.fromCodePoint(code)));
}

/** Sets may have thousands of items, texts have few different characters. */
function remembered(fits: CharacterSet): CharacterSet {
  const known = new Map<number, boolean>();
  return (code) => {
    let isIn = known.get(code);
    if (isIn === undefined) {
      isIn = fits(code);
      if (known.size < MAX_REMEMBERED) known.set(code, isIn);
    }
    return isIn;
  };
}

const MAX_REMEMBERED = 256;

/** A general category or a script of Unicode. */
function property(name: string): CharacterSet {
  for (const source of [`\\p{${name}}`, `\\p{Script=${name}}`]) {
    try {
      return charactersOf(source);
    } catch {
      // It may be the other kind.
    }
  }
  throw new Error(`the pattern has a class that is not known: ${name}`);
}

const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: String.raw`\x00-\x7F`,
  blank: String.raw`\t `,
  cntrl: String.raw`\x00-\x1F\x7F`,
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: String.raw`!-\/:-@\[-\x60\{-~`,
  space: String.raw`\t\n\v\f\r `,
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

/** The set that begins behind a `[`. */
export function readSet(characters: readonly string[], start: number, flags: Flags): ReadSet {
  const sets: CharacterSet[] = [];
  let at = start;
  const isNegated = characters[at] === '^';
  if (isNegated) at++;
  for (let isFirst = true; isFirst || characters[at] !== ']'; isFirst = false) {
    if (at >= characters.length) throw new Error('the pattern has a [ without a ]');
    const { fits, end } = readItem(characters, at, flags);
    sets.push(fits);
    at = end;
  }
  const fitsOne: CharacterSet = (code) => sets.some((fits) => fits(code));
  return { fits: remembered(isNegated ? (code) => !fitsOne(code) : fitsOne), end: at + 1 };
}

function readItem(characters: readonly string[], at: number, flags: Flags): ReadSet {
  const [posix, negation, name = ''] = /^\[:(\^?)(\w+):\]/.exec(characters.slice(at, at + 14).join('')) ?? [];
  if (posix !== undefined) {
    const source = POSIX[name];
    if (source === undefined) throw new Error(`the pattern has a class that is not known: ${posix}`);
    return { fits: charactersOf(`[${negation}${source}]`), end: at + posix.length };
  }
  if (characters[at] === '\\' && isEscapedSet(characters[at + 1] ?? '')) return escapedSet(characters, at + 1);
  const first = readCharacter(characters, at);
  if (characters[first.end] !== '-' || characters[first.end + 1] === ']') {
    return { fits: between(first.code, first.code, flags), end: first.end };
  }
  const last = readCharacter(characters, first.end + 1);
  if (last.code < first.code) throw new Error('the pattern has a range that ends before it begins');
  return { fits: between(first.code, last.code, flags), end: last.end };
}

function readCharacter(characters: readonly string[], at: number): { readonly code: number; readonly end: number } {
  const character = characters[at];
  if (character === undefined) throw new Error('the pattern has a [ without a ]');
  return character === '\\'
    ? readEscape(characters, at + 1)
    : { code: character.codePointAt(0) as number, end: at + 1 };
}

function between(first: number, last: number, { ignoresCase }: Flags): CharacterSet {
  const isWithin: CharacterSet = (code) => code >= first && code <= last;
  if (!ignoresCase) return isWithin;
  return (code) => {
    const character = String.fromCodePoint(code);
    const forms = [character, character.toLowerCase(), character.toUpperCase(), fold(character)];
    return forms.some((form) => isWithin(form.codePointAt(0) as number));
  };
}

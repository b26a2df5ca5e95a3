/** The syntax of RE2, which Prometheus uses: https://github.com/google/re2/wiki/Syntax */
import { fold, isWord, NEWLINE, readEscape, type Flags } from './character.ts';
import { escapedSet, isEscapedSet, readSet, type CharacterSet } from './character-set.ts';
import type { Assertion, ParsedPattern, PatternNode } from './node.ts';

/** @throws Error that names the position. */
export function parsePattern(text: string): ParsedPattern {
  return new PatternParser(text).parse();
}

const NO_FLAGS: Flags = { ignoresCase: false, dotFitsLine: false, isMultiline: false };
/** As in RE2. */
const MAX_REPEAT = 1000;
const MAX_DEPTH = 200;

class PatternParser {
  readonly #characters: readonly string[];
  #at = 0;
  #groups = 0;
  #depth = 0;
  #flags = NO_FLAGS;
  readonly #names = new Map<string, number>();
  readonly #literals = new Map<string, PatternNode>();

  constructor(text: string) {
    this.#characters = Array.from(text);
  }

  parse(): ParsedPattern {
    const root = this.#choice();
    if (this.#at < this.#characters.length) throw this.#problem('a ) without a (');
    return { root, groups: this.#groups, names: this.#names };
  }

  #choice(): PatternNode {
    if (++this.#depth > MAX_DEPTH) throw this.#problem('too many groups within each other');
    const before = this.#flags;
    const of = [this.#sequence()];
    while (this.#skip('|')) of.push(this.#sequence());
    this.#flags = before;
    this.#depth--;
    return of.length === 1 ? (of[0] as PatternNode) : { kind: 'choice', of };
  }

  #sequence(): PatternNode {
    const of: PatternNode[] = [];
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      of.push(this.#repeated(this.#single()));
    }
    return { kind: 'sequence', of };
  }

  #repeated(node: PatternNode): PatternNode {
    const counts = this.#counts();
    if (counts === undefined) return node;
    const [least, most] = counts;
    const isLazy = this.#skip('?');
    if (this.#counts() !== undefined) throw this.#problem('a repetition of a repetition');
    return { kind: 'repeat', of: node, least, most, isLazy };
  }

  #counts(): readonly [least: number, most: number] | undefined {
    if (this.#skip('*')) return [0, Infinity];
    if (this.#skip('+')) return [1, Infinity];
    if (this.#skip('?')) return [0, 1];
    const [all, least, rest = ''] = /^\{(\d+)(|,\d*)\}/.exec(this.#ahead(12)) ?? [];
    if (all === undefined) return undefined;
    this.#at += all.length;
    const from = Number(least);
    const upTo = rest === '' ? from : Number(rest.slice(1));
    const to = rest === ',' ? Infinity : upTo;
    if (Math.max(from, upTo) > MAX_REPEAT || to < from) throw this.#problem('a wrong count');
    return [from, to];
  }

  #single(): PatternNode {
    const character = this.#take();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return this.#bracketed();
      case '.':
        return { kind: 'character', fits: this.#flags.dotFitsLine ? isAny : isInLine };
      case '^':
      case '$':
        return { kind: 'assertion', holds: this.#limit(character) };
      case '\\':
        return this.#escaped();
      case '*':
      case '+':
      case '?':
        throw this.#problem(`nothing before ${character}`);
      default:
        return this.#literal(character);
    }
  }

  #limit(character: '^' | '$'): Assertion {
    if (character === '^') return this.#flags.isMultiline ? startsLine : isStart;
    return this.#flags.isMultiline ? endsLine : isEnd;
  }

  #group(): PatternNode {
    let number: number | undefined;
    if (!this.#skip('?')) number = ++this.#groups;
    else {
      const [all, name] = /^P?<(\w+)>/.exec(this.#ahead(80)) ?? [];
      if (all === undefined) return this.#flagged();
      this.#at += all.length;
      if (this.#names.has(name as string)) throw this.#problem('a name for two groups');
      number = ++this.#groups;
      this.#names.set(name as string, number);
    }
    const of = this.#closed();
    return { kind: 'group', number, of };
  }

  /** `(?flags)` is for the rest of the group around it, `(?flags:…)` for its content. */
  #flagged(): PatternNode {
    const [all, on = '', off = '', end] = /^([ims]*)(?:-([ims]+))?([:)])/.exec(this.#ahead(10)) ?? [];
    if (all === undefined) throw this.#problem('a kind of group that RE2 does not have, or siphon does not know');
    this.#at += all.length;
    const outside = this.#flags;
    const is = (flag: string, before: boolean): boolean => !off.includes(flag) && (on.includes(flag) || before);
    this.#flags = {
      ignoresCase: is('i', outside.ignoresCase),
      isMultiline: is('m', outside.isMultiline),
      dotFitsLine: is('s', outside.dotFitsLine),
    };
    if (end === ')') return { kind: 'empty' };
    const content = this.#closed();
    this.#flags = outside;
    return content;
  }

  #closed(): PatternNode {
    const content = this.#choice();
    if (!this.#skip(')')) throw this.#problem('a ( without a )');
    return content;
  }

  #bracketed(): PatternNode {
    const { fits, end } = readSet(this.#characters, this.#at, this.#flags);
    this.#at = end;
    return { kind: 'character', fits };
  }

  #escaped(): PatternNode {
    const character = this.#take();
    const assertion = ASSERTIONS[character];
    if (assertion !== undefined) return { kind: 'assertion', holds: assertion };
    if (character === 'Q') return this.#quoted();
    if (isEscapedSet(character)) {
      const { fits, end } = escapedSet(this.#characters, this.#at - 1);
      this.#at = end;
      return { kind: 'character', fits };
    }
    const { code, end } = readEscape(this.#characters, this.#at - 1);
    this.#at = end;
    return this.#literal(String.fromCodePoint(code));
  }

  /** `\Q…\E` is the text between. */
  #quoted(): PatternNode {
    const of: PatternNode[] = [];
    while (this.#at < this.#characters.length) {
      if (this.#ahead(2) === String.raw`\E`) {
        this.#at += 2;
        break;
      }
      of.push(this.#literal(this.#take()));
    }
    return { kind: 'sequence', of };
  }

  /** Equal ones are one node, so that they are compared once. */
  #literal(character: string): PatternNode {
    const { ignoresCase } = this.#flags;
    const key = `${ignoresCase ? 'i' : ''}${character}`;
    let node = this.#literals.get(key);
    if (node === undefined)
      this.#literals.set(key, (node = { kind: 'character', fits: equal(character, ignoresCase) }));
    return node;
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #ahead(length: number): string {
    return this.#characters.slice(this.#at, this.#at + length).join('');
  }

  #take(): string {
    const character = this.#characters[this.#at];
    if (character === undefined) throw this.#problem('an end that comes too early');
    this.#at++;
    return character;
  }

  #skip(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #problem(what: string): Error {
    return new Error(`the pattern has ${what}, at its character ${this.#at + 1}`);
  }
}

function equal(character: string, ignoresCase: boolean): CharacterSet {
  const wanted = character.codePointAt(0) as number;
  if (!ignoresCase) return (code) => code === wanted;
  const folded = fold(character);
  return (code) => code === wanted || fold(String.fromCodePoint(code)) === folded;
}

const isAny: CharacterSet = () => true;
const isInLine: CharacterSet = (code) => code !== NEWLINE;

const isStart: Assertion = (before) => before < 0;
const isEnd: Assertion = (_before, after) => after < 0;
const startsLine: Assertion = (before) => before < 0 || before === NEWLINE;
const endsLine: Assertion = (_before, after) => after < 0 || after === NEWLINE;

const ASSERTIONS: Readonly<Record<string, Assertion | undefined>> = {
  A: isStart,
  z: isEnd,
  b: (before, after) => isWord(before) !== isWord(after),
  B: (before, after) => isWord(before) === isWord(after),
};

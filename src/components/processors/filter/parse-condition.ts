import type { AnyValue } from '../../../engine/otlp/any-value.ts';
import { compare, COMPARISONS, type Comparison } from './compare.ts';
import { allOf, anyOf, opposite, type Condition, type Test } from './condition.ts';
import { ENUMS } from './enums.ts';
import { hasPointWith, isMatch, isRootSpan } from './functions.ts';
import { PATHS, type Getter, type Owner } from './paths.ts';
import { tokensOf, type Token } from './tokens.ts';

/** The kinds of things that a condition may be about. */
export interface Surroundings {
  /** From the outermost to the innermost. */
  readonly owners: readonly Owner[];
  /** Paths without a prefix belong to it; undefined if each path needs a prefix. */
  readonly owner: Owner | undefined;
}

/**
 * Parses the part of the OpenTelemetry Transformation Language that conditions mostly use.
 *
 * @throws Error that names the position, and what is supported.
 */
export function parseCondition(text: string, surroundings: Surroundings): Condition {
  return new ConditionParser(text, surroundings).parse();
}

const MAX_DEPTH = 100;
const FUNCTIONS = 'IsMatch, IsRootSpan, HasAttrKeyOnDatapoint and HasAttrOnDatapoint';

class ConditionParser {
  readonly #tokens: readonly Token[];
  readonly #surroundings: Surroundings;
  /** The owners of its paths. */
  readonly #used = new Set<Owner>();
  #next = 0;
  #depth = 0;

  constructor(text: string, surroundings: Surroundings) {
    this.#tokens = tokensOf(text);
    this.#surroundings = surroundings;
  }

  parse(): Condition {
    const test = this.#any();
    if (this.#token.kind !== 'end') throw this.#problem(`${this.#token.text} is not expected; supported are and, or`);
    const { owners, owner } = this.#surroundings;
    const innermost = owner ?? owners.findLast((one) => this.#used.has(one));
    if (innermost === undefined) throw this.#problem(`needs a path that begins with ${owners.join(', ')}`);
    return { owner: innermost, test };
  }

  #any(): Test {
    if (++this.#depth > MAX_DEPTH) throw this.#problem('too many brackets within each other');
    const tests = [this.#all()];
    while (this.#skip('or')) tests.push(this.#all());
    this.#depth--;
    return anyOf(tests);
  }

  #all(): Test {
    const tests = [this.#single()];
    while (this.#skip('and')) tests.push(this.#single());
    return allOf(tests);
  }

  #single(): Test {
    if (this.#skip('not')) return opposite(this.#single());
    if (this.#skip('(')) {
      const inner = this.#any();
      this.#expect(')');
      return inner;
    }
    const { kind, text } = this.#token;
    const isCall = kind === 'name' && this.#tokens[this.#next + 1]?.text === '(';
    if (isCall) return this.#call();
    const isConstant = (text === 'true' || text === 'false') && !COMPARISONS.has(this.#after.text);
    if (!isConstant) return this.#comparison();
    const value = this.#take().text === 'true';
    return () => value;
  }

  #comparison(): Test {
    const left = this.#value();
    const operator = this.#token;
    if (!COMPARISONS.has(operator.text)) {
      throw this.#problem(`needs one of ${[...COMPARISONS].join(' ')} here; calculations are not supported`);
    }
    this.#next++;
    const right = this.#value();
    return (subject) => compare(left(subject), operator.text as Comparison, right(subject));
  }

  #call(): Test {
    const { text: name } = this.#token;
    const test = this.#callOf(name);
    if (test === undefined) throw this.#problem(`the function ${name} is not supported; supported are ${FUNCTIONS}`);
    this.#expect(')');
    return test;
  }

  #callOf(name: string): Test | undefined {
    switch (name) {
      case 'IsMatch':
        return this.#isMatch();
      case 'IsRootSpan':
        this.#begin('span');
        return isRootSpan;
      case 'HasAttrKeyOnDatapoint':
        this.#begin('metric');
        return hasPointWith(this.#text(), undefined);
      case 'HasAttrOnDatapoint': {
        this.#begin('metric');
        const key = this.#text();
        this.#expect(',');
        return hasPointWith(key, this.#text());
      }
      default:
        return undefined;
    }
  }

  #isMatch(): Test {
    this.#next += 2;
    const value = this.#value();
    this.#expect(',');
    const source = this.#text();
    try {
      return isMatch(value, source);
    } catch (error) {
      this.#next--;
      throw this.#problem((error as Error).message);
    }
  }

  /** A function for things of one kind. */
  #begin(owner: Owner): void {
    const { owners, owner: given } = this.#surroundings;
    if (!owners.includes(owner) || (given !== undefined && given !== owner)) {
      throw this.#problem(`the function ${this.#token.text} is only for conditions about a ${owner}`);
    }
    this.#used.add(owner);
    this.#next += 2;
  }

  #value(): Getter {
    const { kind, text } = this.#token;
    if (kind === 'text') return literal(this.#text());
    if (kind === 'number') return literal(Number(this.#take().text));
    if (text === '-') {
      this.#next++;
      if (this.#token.kind !== 'number') throw this.#problem('needs a number behind the sign');
      return literal(-Number(this.#take().text));
    }
    if (kind !== 'name') throw this.#problem('needs a value here: a text, a number, true, false, nil or a path');
    if (Object.hasOwn(CONSTANTS, text)) return literal(CONSTANTS[this.#take().text] as AnyValue);
    if (/^[A-Z]/.test(text)) return this.#enum();
    return this.#path();
  }

  #enum(): Getter {
    const { text } = this.#token;
    const number = ENUMS[text];
    if (number === undefined) throw this.#problem(`${text} is not known; functions are not supported as values`);
    this.#next++;
    return literal(number);
  }

  #path(): Getter {
    const start = this.#token;
    const names = [this.#take().text];
    while (this.#skip('.')) names.push(this.#take().text);
    const found = this.#find(names);
    if (found === undefined) {
      throw problemAt(start, `the path ${names.join('.')} is not supported; supported are ${this.#pathList()}`);
    }
    this.#used.add(found.owner);
    const keys = this.#keys();
    if (found.path === 'attributes' && keys.length === 0) {
      throw this.#problem('attributes needs a key, as in attributes["http.route"]');
    }
    const getter = PATHS[found.owner][found.path] as Getter;
    return keys.length === 0 ? getter : (subject) => valueAt(getter(subject), keys);
  }

  #find(names: readonly string[]): { readonly owner: Owner; readonly path: string } | undefined {
    const prefix = names.length > 1 ? this.#surroundings.owners.find((owner) => owner === names[0]) : undefined;
    const owner = prefix ?? this.#surroundings.owner;
    const path = (prefix === undefined ? names : names.slice(1)).join('.');
    if (owner === undefined || !Object.hasOwn(PATHS[owner], path) || !this.#mayUse(owner)) return undefined;
    return { owner, path };
  }

  /** A condition about spans cannot look at their events. */
  #mayUse(used: Owner): boolean {
    const { owners, owner } = this.#surroundings;
    return owner === undefined || owners.indexOf(used) <= owners.indexOf(owner);
  }

  #keys(): (string | number)[] {
    const keys: (string | number)[] = [];
    while (this.#skip('[')) {
      keys.push(this.#token.kind === 'number' ? Number(this.#take().text) : this.#text());
      this.#expect(']');
    }
    return keys;
  }

  #pathList(): string {
    const { owners, owner } = this.#surroundings;
    return owners
      .filter((one) => this.#mayUse(one))
      .flatMap((one) => Object.keys(PATHS[one]).map((path) => (one === owner ? path : `${one}.${path}`)))
      .join(', ');
  }

  #text(): string {
    if (this.#token.kind !== 'text') throw this.#problem('needs a text in quotation marks here');
    try {
      return JSON.parse(this.#token.text.replaceAll('\t', String.raw`\t`)) as string;
    } catch {
      throw this.#problem('has an escape that is not supported');
    } finally {
      this.#next++;
    }
  }

  get #token(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)] as Token;
  }

  get #after(): Token {
    return this.#tokens[Math.min(this.#next + 1, this.#tokens.length - 1)] as Token;
  }

  #take(): Token {
    const token = this.#token;
    this.#next++;
    return token;
  }

  #skip(text: string): boolean {
    if (this.#token.text !== text || this.#token.kind === 'text') return false;
    this.#next++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#skip(text)) throw this.#problem(`needs ${text} here`);
  }

  #problem(what: string): Error {
    return problemAt(this.#token, what);
  }
}

const CONSTANTS: Readonly<Record<string, AnyValue>> = { true: true, false: false, nil: null };

function problemAt({ at }: Token, what: string): Error {
  return new Error(`character ${at}: ${what}`);
}

function literal(value: AnyValue): Getter {
  return () => value;
}

/** An absent key is nil. */
function valueAt(value: AnyValue, keys: readonly (string | number)[]): AnyValue {
  let inner: AnyValue = value;
  for (const key of keys) {
    if (typeof key === 'number') inner = Array.isArray(inner) ? ((inner[key] as AnyValue | undefined) ?? null) : null;
    else inner = inner instanceof Map ? ((inner.get(key) as AnyValue | undefined) ?? null) : null;
  }
  return inner;
}

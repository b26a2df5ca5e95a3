/** An action is the text between `{{` and `}}`: values, and functions of them. */
import { suggest } from '../../engine/config/nearest-name.ts';
import { RuleError } from '../rule-error.ts';
import { functions, type TemplateFunction } from './functions.ts';
import type { AlertData, Value } from './alert-data.ts';
import { tokensOf, type Token } from './tokens.ts';

/** A value or a function call. The value of a literal is known before the alert. */
export interface Part {
  readonly type: 'number' | 'text';
  readonly literal?: string;
  readonly of: (data: AlertData) => Value;
}

/**
 * @param dot the value of `.`; undefined where it is the alert itself.
 * @throws RuleError
 */
export function readAction(action: string, dot: Part | undefined): Part {
  const reader = new ActionReader(tokensOf(action), dot);
  const part = reader.pipeline();
  reader.end();
  return part;
}

class ActionReader {
  readonly #tokens: readonly Token[];
  readonly #dot: Part | undefined;
  #at = 0;

  constructor(tokens: readonly Token[], dot: Part | undefined) {
    this.#tokens = tokens;
    this.#dot = dot;
  }

  end(): void {
    const next = this.#tokens[this.#at];
    if (next !== undefined) throw new RuleError(`${next.text} is not expected here`);
  }

  /** Each command gets the value of the one before as its last argument. */
  pipeline(): Part {
    let part = this.#command();
    while (this.#accept('|')) part = this.#command(part);
    return part;
  }

  #command(piped?: Part): Part {
    const name = this.#tokens[this.#at];
    if (name?.kind === 'word') {
      this.#at++;
      const known = functionOf(name.text);
      const args = [...this.#operands(), ...(piped === undefined ? [] : [piped])];
      return call(known, args);
    }
    const [operand, ...others] = this.#operands();
    if (operand === undefined) throw new RuleError('a value is missing');
    if (others.length > 0 || piped !== undefined) throw new RuleError('only a function has arguments');
    return operand;
  }

  #operands(): readonly Part[] {
    const found: Part[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined || token.text === '|' || token.text === ')') return found;
      this.#at++;
      found.push(token.text === '(' ? this.#inBrackets() : operandOf(token, this.#dot));
    }
  }

  #inBrackets(): Part {
    const part = this.pipeline();
    if (!this.#accept(')')) throw new RuleError('a ) is missing');
    return part;
  }

  #accept(text: string): boolean {
    const token = this.#tokens[this.#at];
    const isNext = token?.kind === 'sign' && token.text === text;
    if (isNext) this.#at++;
    return isNext;
  }
}

function operandOf({ kind, text }: Token, dot: Part | undefined): Part {
  switch (kind) {
    case 'text':
      return { type: 'text', literal: text, of: () => text };
    case 'number':
      return { type: 'number', of: () => Number(text) };
    case 'variable':
      return variableOf(text, dot);
    case 'word':
    case 'sign':
      throw new RuleError(`${text} is not supported here`);
  }
}

function variableOf(text: string, dot: Part | undefined): Part {
  if (text.startsWith('.') && dot !== undefined) {
    if (text === '.') return dot;
    throw new RuleError(`within a with, . is its value: write $labels or $value instead of ${text}`);
  }
  if (text === '$value' || text === '.Value') return { type: 'number', of: ({ value }) => value };
  const label = /^(?:\$labels|\.Labels)\.([A-Za-z_]\w*)$/.exec(text)?.[1];
  if (label !== undefined) return { type: 'text', of: ({ labels }) => labels.get(label) ?? '' };
  throw new RuleError(`${text} is not supported; known are $value and $labels.NAME`);
}

function functionOf(name: string): TemplateFunction {
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (known !== undefined) return known;
  throw new RuleError(
    `${name} is not supported${suggest(name, Object.keys(functions))}; known are ${Object.keys(functions).join(', ')}`,
  );
}

function call(known: TemplateFunction, args: readonly Part[]): Part {
  known.check(args);
  return { type: 'text', of: (data) => known.of(args.map((part) => part.of(data))) };
}

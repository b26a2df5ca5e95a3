import { quoteIdentifier } from '../../../../postgres/identifier.ts';

/**
 * A number that is computed from the columns of one row. It is parsed here and written again as SQL, so that nothing but
 * quoted columns, numbers, these operators and these functions reaches the database.
 */
export type Expression =
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'negation'; readonly of: Expression }
  | { readonly kind: 'operation'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'call'; readonly name: string; readonly values: readonly Expression[] };

/** The functions, with the smallest and the largest number of their values. */
const FUNCTIONS: Readonly<Record<string, readonly [number, number]>> = {
  abs: [1, 1],
  ceil: [1, 1],
  coalesce: [2, 9],
  floor: [1, 1],
  greatest: [2, 9],
  least: [2, 9],
  length: [1, 1],
  octet_length: [1, 1],
  round: [1, 1],
};

const MAX_LENGTH = 1000;
const MAX_DEPTH = 50;

/** @throws Error with the problem */
export function parseExpression(text: string): Expression {
  if (text.length > MAX_LENGTH) throw new Error(`must have at most ${MAX_LENGTH} characters`);
  return new Parser(tokensOf(text)).whole();
}

export function columnsOf(expression: Expression): string[] {
  switch (expression.kind) {
    case 'column':
      return [expression.name];
    case 'number':
      return [];
    case 'negation':
      return columnsOf(expression.of);
    case 'operation':
      return [...columnsOf(expression.left), ...columnsOf(expression.right)];
    case 'call':
      return expression.values.flatMap(columnsOf);
  }
}

/**
 * SQL for the expression over `entry`, as text. A difference of times is a number of seconds. The type is examined for each
 * row, because a column may get another one while siphon runs.
 */
export function numberSql(expression: Expression): string {
  const sql = sqlOf(expression);
  return `case pg_typeof(${sql}) when 'interval'::regtype then extract(epoch from (${sql})::text::interval)::text else (${sql})::text end`;
}

/** A quotient keeps its decimals, also of two integers; divided by 0, it is NULL. */
function sqlOf(expression: Expression): string {
  switch (expression.kind) {
    case 'column':
      return `entry.${quoteIdentifier(expression.name)}`;
    case 'number':
      return expression.text;
    case 'negation':
      return `(- ${sqlOf(expression.of)})`;
    case 'operation': {
      const [left, right] = [sqlOf(expression.left), sqlOf(expression.right)];
      return expression.operator === '/'
        ? `(${left} * 1.0 / nullif(${right}, 0))`
        : `(${left} ${expression.operator} ${right})`;
    }
    case 'call':
      return `${expression.name}(${expression.values.map(sqlOf).join(', ')})`;
  }
}

interface Token {
  readonly kind: 'number' | 'name' | 'column' | 'sign';
  readonly text: string;
}

const TOKEN =
  /\s*(?:(?<number>\d+(?:\.\d+)?)(?![\p{L}\p{N}_.])|(?<name>[\p{L}_][\p{L}\p{N}_$]*)|"(?<column>(?:[^"]|"")+)"|(?<sign>[-+*/(),]))/uy;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const from = TOKEN.lastIndex;
    const found = Object.entries(TOKEN.exec(text)?.groups ?? {}).find(([, token]) => token !== undefined);
    if (!found) throw new Error(`must consist of columns, numbers, + - * / and functions, which it does not at: ${text.slice(from).trim()}`); // prettier-ignore
    const [kind, token] = found as [Token['kind'], string];
    tokens.push({ kind, text: kind === 'column' ? token.replaceAll('""', '"') : token });
  }
  return tokens;
}

/** Recursive descent: a sum of products of factors. */
class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const expression = this.#sum();
    const rest = this.#tokens[this.#at];
    if (rest) throw new Error(`is complete before ${rest.text}`);
    return expression;
  }

  #sum(): Expression {
    return this.#chain(['+', '-'], () => this.#chain(['*', '/'], () => this.#factor()));
  }

  #chain(operators: readonly string[], part: () => Expression): Expression {
    let left = part();
    for (;;) {
      const operator = operators.find((sign) => this.#takes(sign));
      if (operator === undefined) return left;
      left = { kind: 'operation', operator, left, right: part() };
    }
  }

  #factor(): Expression {
    if (++this.#depth > MAX_DEPTH) throw new Error(`is nested deeper than ${MAX_DEPTH} levels`);
    const expression = this.#nested();
    this.#depth--;
    return expression;
  }

  #nested(): Expression {
    if (this.#takes('-')) return { kind: 'negation', of: this.#factor() };
    if (this.#takes('(')) return this.#closed(this.#sum());
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Error('ends where a column, a number or ( must follow');
    if (token.kind === 'sign') throw new Error(`has ${token.text} where a column, a number or ( must be`);
    if (token.kind === 'number') return { kind: 'number', text: token.text };
    if (token.kind === 'name' && this.#takes('(')) return this.#call(token.text);
    return { kind: 'column', name: token.text };
  }

  #call(name: string): Expression {
    const [fewest, most] = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name]! : [0, 0];
    if (most === 0) throw new Error(`may not call ${name}: the functions are ${Object.keys(FUNCTIONS).join(', ')}`);
    const values = [this.#sum()];
    while (this.#takes(',')) values.push(this.#sum());
    if (values.length < fewest || values.length > most)
      throw new Error(`calls ${name} with ${values.length} values: it takes ${fewest === most ? fewest : `${fewest} to ${most}`}`); // prettier-ignore
    return this.#closed({ kind: 'call', name, values });
  }

  #closed(expression: Expression): Expression {
    if (!this.#takes(')')) throw new Error('lacks a closing parenthesis');
    return expression;
  }

  #takes(sign: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'sign' || token.text !== sign) return false;
    this.#at++;
    return true;
  }
}

import { SERIES_STEPS, type Budget, type Steps } from '../budget.ts';
import { partsOf, type Expression } from '../syntax/expression.ts';
import { valueTypeOf } from '../syntax/value-type.ts';

/**
 * The instant vectors that an expression contains several times, such as `x` in `x > 0 or x`. Equal ones have the same
 * number, and the same values: one evaluation is enough.
 */
export function* repeatedIn(expression: Expression, budget: Budget): Steps<ReadonlyMap<Expression, number>> {
  const numbering = new Numbering(budget);
  yield* numbering.numberOf(expression);
  return numbering.repeated();
}

/** Equal expressions get the same number, wherever they are written. */
class Numbering {
  readonly #budget: Budget;
  readonly #numbers = new Map<string, number>();
  readonly #vectors: Expression[][] = [];

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  *numberOf(expression: Expression): Steps<number> {
    const parts = new Map<unknown, number>();
    for (const part of partsOf(expression)) parts.set(part, yield* this.numberOf(part));
    if (this.#budget.spend(SERIES_STEPS)) yield;
    const content = contentOf(expression, parts);
    const number = this.#numbers.get(content) ?? this.#numbers.size;
    this.#numbers.set(content, number);
    const equal = (this.#vectors[number] ??= []);
    if (valueTypeOf(expression) === 'vector') equal.push(expression);
    return number;
  }

  repeated(): ReadonlyMap<Expression, number> {
    const pairs = this.#vectors.flatMap((equal, number) =>
      equal.length < 2 ? [] : equal.map((expression) => [expression, number] as const),
    );
    return new Map(pairs);
  }
}

/** The expression without its position, and with the numbers of its parts. */
function contentOf(expression: Expression, parts: ReadonlyMap<unknown, number>): string {
  return JSON.stringify(expression, (key, value: unknown) => {
    if (key === 'from') return undefined;
    // JSON has no form for infinity, NaN and -0. A text is not the number of a part.
    if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
    return parts.get(value) ?? value;
  });
}

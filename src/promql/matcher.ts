import { Pattern } from '../pattern/pattern.ts';
import type { Budget, Steps } from './budget.ts';
import type { Labels } from './labels.ts';

export type MatchOperator = '=' | '!=' | '=~' | '!~';

/** One condition of a selector. An absent label has the empty text as its value. */
export class Matcher {
  readonly label: string;
  readonly operator: MatchOperator;
  readonly text: string;
  readonly #isNegated: boolean;
  readonly #pattern: Pattern | undefined;
  /** The same values are compared again and again. */
  readonly #known = new Map<string, boolean>();

  /** @throws Error if the text is not a pattern. */
  constructor(label: string, operator: MatchOperator, text: string) {
    this.label = label;
    this.operator = operator;
    this.text = text;
    this.#isNegated = operator.startsWith('!');
    if (operator === '=~' || operator === '!~') this.#pattern = new Pattern(text);
  }

  /** How many states the pattern has; 0 without one. */
  get patternSize(): number {
    return this.#pattern?.size ?? 0;
  }

  get fitsAbsent(): boolean {
    return (this.#pattern?.fitsEmpty ?? this.text === '') !== this.#isNegated;
  }

  *fits(value: string, budget: Budget): Steps<boolean> {
    const known = this.knownFit(value);
    if (known !== undefined) return known;
    const fits = (yield* (this.#pattern as Pattern).fits(value, budget)) !== this.#isNegated;
    if (this.#known.size < MAX_KNOWN) this.#known.set(value, fits);
    return fits;
  }

  /** The same without work; undefined for a value that the pattern has not been compared with. */
  knownFit(value: string): boolean | undefined {
    return this.#pattern === undefined ? (value === this.text) !== this.#isNegated : this.#known.get(value);
  }
}

const MAX_KNOWN = 100_000;

export function* fitsAll(labels: Labels, matchers: readonly Matcher[], budget: Budget): Steps<boolean> {
  for (const matcher of matchers) {
    const value = labels.get(matcher.label) ?? '';
    if (!(matcher.knownFit(value) ?? (yield* matcher.fits(value, budget)))) return false;
  }
  return true;
}

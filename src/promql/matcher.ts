import type { Labels } from './labels.ts';
import { Pattern } from './pattern/pattern.ts';

export type MatchOperator = '=' | '!=' | '=~' | '!~';

/** One condition of a selector. An absent label has the empty text as its value. */
export class Matcher {
  readonly label: string;
  readonly operator: MatchOperator;
  readonly text: string;
  readonly #fits: (value: string) => boolean;

  /** @throws Error if the text is not a pattern. */
  constructor(label: string, operator: MatchOperator, text: string) {
    this.label = label;
    this.operator = operator;
    this.text = text;
    const isEqual = fitting(operator, text);
    this.#fits = operator.startsWith('!') ? (value) => !isEqual(value) : isEqual;
  }

  fits(value: string): boolean {
    return this.#fits(value);
  }

  fitsLabels(labels: Labels): boolean {
    return this.#fits(labels.get(this.label) ?? '');
  }
}

function fitting(operator: MatchOperator, text: string): (value: string) => boolean {
  if (operator === '=' || operator === '!=') return (value) => value === text;
  const pattern = new Pattern(text);
  // The same few values are compared again and again.
  const known = new Map<string, boolean>();
  return (value) => {
    let fits = known.get(value);
    if (fits === undefined) {
      fits = pattern.test(value);
      if (known.size < MAX_KNOWN) known.set(value, fits);
    }
    return fits;
  };
}

const MAX_KNOWN = 1000;

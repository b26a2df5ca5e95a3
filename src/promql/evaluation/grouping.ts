import { drop, keep, keyOf, METRIC_NAME, type Labels } from '../labels.ts';
import type { Grouping } from '../syntax/expression.ts';

/** The labels by which series belong together. */
export class GroupLabels {
  readonly #isOnly: boolean;
  readonly #names: ReadonlySet<string>;

  constructor({ isOnly, labels }: Grouping) {
    this.#isOnly = isOnly;
    this.#names = new Set(isOnly ? labels : [METRIC_NAME, ...labels]);
  }

  of(labels: Labels): Labels {
    return this.#isOnly ? keep(labels, this.#names) : drop(labels, this.#names);
  }

  /** Equal for series that belong together, and only for them. */
  keyOf(labels: Labels): string {
    return keyOf(labels, (name) => this.#names.has(name) === this.#isOnly);
  }
}

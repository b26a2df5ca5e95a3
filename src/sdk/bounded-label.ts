/** Keeps the number of a label's values bounded, whatever the data holds. */
import { diag } from '@opentelemetry/api';
import type { BudgetedLabel, ClosedLabel } from '../metrics/metric.ts';

/** The value that stands for all values beyond the budget or outside the closed set. */
export const OTHER = 'other';

/**
 * The values of one label of the catalogue. A closed set takes its own values; a budgeted label takes the first
 * `maxValues` it meets, and keeps them for the life of the process. Everything else becomes {@link OTHER}, so the series
 * `other` counts what was folded.
 */
export class BoundedLabel {
  readonly #known: Set<string>;
  readonly #capacity: number;
  #warned = false;

  constructor(label: ClosedLabel | BudgetedLabel) {
    this.#known = new Set(isClosed(label) ? label : []);
    this.#capacity = isClosed(label) ? label.length : label.maxValues;
  }

  bound(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size < this.#capacity) {
      this.#known.add(value);
      return value;
    }
    this.#warnOnce(value);
    return OTHER;
  }

  #warnOnce(value: string): void {
    if (this.#warned) return;
    this.#warned = true;
    diag.warn(
      `siphon: a label already has its ${this.#capacity} values, so "${value}" and later ones become "${OTHER}"`,
    );
  }
}

const labels = new Map<ClosedLabel | BudgetedLabel, BoundedLabel>();

/** The one bounded form of a label: metrics that share a label share its budget, so they fold the same values. */
export function boundedLabel(label: ClosedLabel | BudgetedLabel): BoundedLabel {
  const known = labels.get(label);
  if (known !== undefined) return known;
  const created = new BoundedLabel(label);
  labels.set(label, created);
  return created;
}

function isClosed(label: ClosedLabel | BudgetedLabel): label is ClosedLabel {
  return Array.isArray(label);
}

/** Keeps the number of a label's values bounded, whatever the data holds. */
import { diag } from '@opentelemetry/api';
import type { BudgetedLabel, ClosedLabel } from './metric.ts';

/** Replaces each value beyond the budget or outside the closed set. */
const OTHER = 'other';

/**
 * Returns a function that bounds the values of a label. A closed set keeps its own values. A budgeted label keeps the
 * first `maxValues` that it meets, for the life of the process. Every other value becomes `other`. Metrics that share a
 * label share its budget, so they keep the same values.
 */
export function boundedLabel(label: ClosedLabel | BudgetedLabel): (value: string) => string {
  const known = bounds.get(label);
  if (known !== undefined) return known;
  const created = boundOf(label);
  bounds.set(label, created);
  return created;
}

const bounds = new Map<ClosedLabel | BudgetedLabel, (value: string) => string>();

function boundOf(label: ClosedLabel | BudgetedLabel): (value: string) => string {
  if ('maxValues' in label && (label.fromConfiguration ?? label.chosenByEmitter) === true) return (value) => value;
  const kept = new Set('maxValues' in label ? [] : label);
  const capacity = 'maxValues' in label ? label.maxValues : label.length;
  let warned = false;
  return (value) => {
    if (kept.has(value)) return value;
    if (kept.size < capacity) {
      kept.add(value);
      return value;
    }
    if (!warned) {
      warned = true;
      diag.warn(`siphon: a label already has its ${capacity} values, so "${value}" and later ones become "${OTHER}"`);
    }
    return OTHER;
  };
}

import { drop, keep, METRIC_NAME, type Labels } from '../labels.ts';
import type { Grouping } from '../syntax/expression.ts';

/** The labels by which series belong together. */
export function groupingOf({ isOnly, labels }: Grouping): (of: Labels) => Labels {
  if (isOnly) {
    const names = new Set(labels);
    return (of) => keep(of, names);
  }
  const names = new Set([METRIC_NAME, ...labels]);
  return (of) => drop(of, names);
}

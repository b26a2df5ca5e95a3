import type { QueryModel } from '../dashboards/model/dashboard-model.ts';
import type { Sample } from './data-source.ts';

export interface Line {
  readonly labels: readonly string[];
  /** One for each column; undefined where nothing is known. */
  readonly values: readonly (number | undefined)[];
}

/** A line for each set of labels that any column has, the largest of the column `sortBy` first. */
export function linesOf(
  columns: readonly { readonly query: Pick<QueryModel, 'legend'>; readonly samples: readonly Sample[] }[],
  { labels, sortBy }: { readonly labels: readonly string[]; readonly sortBy: string },
): readonly Line[] {
  const lines = new Map<string, { labels: string[]; values: (number | undefined)[] }>();
  for (const [index, { samples }] of columns.entries()) {
    for (const sample of samples) {
      const names = labels.map((label) => sample.labels[label] ?? '');
      const key = JSON.stringify(names);
      const line = lines.get(key) ?? { labels: names, values: columns.map(() => undefined) };
      line.values[index] = sample.value;
      lines.set(key, line);
    }
  }
  const sorted = columns.findIndex(({ query }) => query.legend === sortBy);
  const rank = ({ values }: Line): number => values[sorted] ?? -Infinity;
  return [...lines.values()].toSorted(
    (one, other) => rank(other) - rank(one) || one.labels.join('\0').localeCompare(other.labels.join('\0')),
  );
}

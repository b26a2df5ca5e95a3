import type { Labels } from '../../../../metrics/metric.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';

/**
 * The label sets that a known row stands for: one for each combination of values of the closed labels that it does not
 * name. None if it leaves out a label whose values nobody knows beforehand.
 */
export function knownSeries(row: Row, labels: Labels): Row[] {
  return Object.entries(labels)
    .filter(([label]) => !(label in row))
    .reduce<Row[]>(
      (rows, [label, values]) =>
        'maxValues' in values ? [] : rows.flatMap((one) => values.map((value) => ({ ...one, [label]: value }))),
      [row],
    );
}

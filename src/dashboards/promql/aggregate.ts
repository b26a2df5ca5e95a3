/** From series as they were scraped to those with exactly the labels that are named. */
import type { Aggregator } from './node.ts';
import type { Series, Vector } from './vector.ts';

type Input<Label extends string> = Series<Label> | Vector<Label>;

export function sum<Label extends string, By extends Label = never>(
  of: Input<Label>,
  by: readonly By[] = [],
): Vector<By> {
  return aggregation('sum', of, by);
}

export function max<Label extends string, By extends Label = never>(
  of: Input<Label>,
  by: readonly By[] = [],
): Vector<By> {
  return aggregation('max', of, by);
}

export function min<Label extends string, By extends Label = never>(
  of: Input<Label>,
  by: readonly By[] = [],
): Vector<By> {
  return aggregation('min', of, by);
}

export function average<Label extends string, By extends Label = never>(
  of: Input<Label>,
  by: readonly By[] = [],
): Vector<By> {
  return aggregation('avg', of, by);
}

/** How many series there are, in `unit`. */
export function count<Label extends string, By extends Label = never>(
  of: Input<Label>,
  by: readonly By[],
  unit: string,
): Vector<By> {
  return { ...aggregation('count', of, by), unit };
}

function aggregation<By extends string>(operator: Aggregator, of: Input<string>, by: readonly By[]): Vector<By> {
  return { form: 'vector', node: { type: 'aggregation', operator, by, of: of.node }, unit: of.unit, labels: by };
}

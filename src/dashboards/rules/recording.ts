/** Expressions that are computed once for several rules. */
import { compare, type Share } from '../promql/arithmetic.ts';
import type { Duration, Node } from '../promql/node.ts';
import type { Vector } from '../promql/vector.ts';

export interface Recording {
  /** `<labels>:<what>:<how>`, by the conventions of Prometheus. */
  readonly name: string;
  readonly expression: Vector;
}

/** Reads what a recording rule has written. */
export function recorded<Label extends string>(name: string, expression: Vector<Label>): Vector<Label> {
  return { ...expression, node: { type: 'recorded', name, of: expression.node } };
}

/**
 * The usual value of a recording within a time that has ended: its median, which a bad day does not change. It reads a result
 * each hour: all results of a week would be tens of thousands for each series, at every evaluation.
 */
export function usually<Label extends string>(
  { node, ...recording }: Vector<Label>,
  { window, before }: { readonly window: Duration; readonly before: Duration },
): Vector<Label> {
  if (node.type !== 'recorded') throw new TypeError('only recordings have a past');
  const past: Node = { ...node, range: { window, resolution: '1h', offset: before } };
  return {
    ...recording,
    node: { type: 'call', name: 'quantile_over_time', arguments: [{ type: 'number', value: 0.5 }, past] },
  };
}

/** The same for a count, which is recorded only where there was something to count. */
export function recordedCount<Label extends string>(name: string, count: Vector<Label>): Vector<Label> {
  return recorded(name, compare(count, '>', 0));
}

/** Reads the counts that two recording rules have written. */
export function recordedShare<Label extends string>(
  [part, whole]: Share<Label>,
  names: readonly [part: string, whole: string],
): Share<Label> {
  return [recordedCount(names[0], part), recordedCount(names[1], whole)];
}

/** The recordings that an expression reads. */
export function recordingsOf({ node, ...vector }: Vector): readonly Recording[] {
  switch (node.type) {
    case 'recorded':
      return [{ name: node.name, expression: { ...vector, node: node.of } }];
    case 'binary':
      return [node.left, node.right].flatMap((side) => recordingsOf({ ...vector, node: side }));
    case 'call':
      return node.arguments.flatMap((argument) => recordingsOf({ ...vector, node: argument }));
    case 'aggregation':
      return recordingsOf({ ...vector, node: node.of });
    case 'selector':
    case 'number':
      return [];
  }
}

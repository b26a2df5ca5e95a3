/** Expressions that are computed once for several rules. */
import { compare, type Share } from '../promql/arithmetic.ts';
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

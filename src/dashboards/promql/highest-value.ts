import { selectorsOf, type Node } from './node.ts';

/** The highest possible value of an expression, if known: a quantile never exceeds the last bound of its histogram. */
export function highestValue(node: Node): number | undefined {
  switch (node.type) {
    case 'recorded':
      return highestValue(node.of);
    case 'call':
      return node.name === 'histogram_quantile' ? lastBound(node) : undefined;
    case 'binary':
      // A filter leaves values as they are.
      return FILTERS.has(node.operator) ? highestValue(node.left) : undefined;
    case 'aggregation':
    case 'selector':
    case 'number':
      return undefined;
  }
}

const FILTERS: ReadonlySet<string> = new Set(['>', '>=', '<', '<=', '==', '!=', 'and', 'unless']);

function lastBound(quantile: Node): number {
  const bounds = selectorsOf(quantile).flatMap(({ metric }) => (metric.kind === 'histogram' ? metric.buckets : []));
  return Math.max(...bounds);
}

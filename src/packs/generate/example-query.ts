import { knownMetrics, type KnownMetricName } from '../known-metrics.ts';
import { promql } from '../../dashboards/promql/render.ts';
import { usesOf } from './uses.ts';

/** A query to begin with, as Prometheus takes it: the shortest that a panel has, or the plainest of its kind. */
export function exampleQuery(name: KnownMetricName): string {
  const [shortest] = usesOf(name)
    .map(({ expression }) => promql(expression))
    .toSorted((one, other) => one.length - other.length);
  return concrete(shortest ?? plainest(name));
}

/** Puts usual values in the place of what a dashboard chooses. */
function concrete(expression: string): string {
  return expression.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '30d').replaceAll('$window', '7d');
}

function plainest(name: KnownMetricName): string {
  const { kind } = knownMetrics[name];
  if (kind === 'gauge') return name;
  return kind === 'counter' ? `increase(${name}[7d])` : `increase(${name}_count[7d])`;
}

import { render } from '../../dashboards/promql/render.ts';
import { packMetrics, type MetricName } from '../index.ts';
import type { LoadedPacks } from '../load.ts';
import { usesOf } from './uses.ts';

/** A query to begin with, as Prometheus takes it: the shortest that a panel has, or the plainest of its kind. */
export function exampleQuery(name: MetricName, loaded: LoadedPacks): string {
  const [shortest] = usesOf(name, loaded)
    .map(({ expression }) => render(expression))
    .filter((text) => !/last_over_time|__interval/.test(text))
    .toSorted((one, other) => one.length - other.length);
  return concrete(shortest ?? shortestOf(name));
}

/** Replaces the variables of a dashboard with usual values. */
function concrete(expression: string): string {
  return expression.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '30d').replaceAll('$__interval', '5m');
}

function shortestOf(name: MetricName): string {
  const { kind } = packMetrics[name];
  if (kind === 'gauge') return name;
  return kind === 'counter' ? `increase(${name}[7d])` : `increase(${name}_count[7d])`;
}

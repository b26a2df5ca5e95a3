import type { KnownMetricName } from '../known-metrics.ts';
import { dashboards } from '../dashboards.ts';
import { selectorsOf } from '../../dashboards/promql/node.ts';
import type { Vector } from '../../dashboards/promql/vector.ts';
import { alerts } from '../alerts.ts';

export interface Use {
  readonly dashboard: string;
  readonly panel: string;
  readonly expression: Vector;
}

/** The panels that a metric is on, each once, with the first expression that asks for it. */
export function usesOf(name: KnownMetricName): readonly Use[] {
  return dashboards.flatMap((dashboard) =>
    dashboard.rows
      .flatMap(({ panels }) => panels)
      .flatMap((panel) => {
        const expression = panel.queries.map((query) => query.expression).find((one) => mentions(one, name));
        return expression === undefined ? [] : [{ dashboard: dashboard.title, panel: panel.title, expression }];
      }),
  );
}

/** The alerts that a metric can raise or hold back. */
export function alertsOn(name: KnownMetricName): readonly string[] {
  return alerts
    .filter(({ measured, guard }) => mentions(measured, name) || (guard !== undefined && mentions(guard, name)))
    .map((alert) => alert.name);
}

function mentions({ node }: Vector, name: KnownMetricName): boolean {
  return selectorsOf(node).some(({ metric }) => metric === name);
}

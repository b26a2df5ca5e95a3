import { selectorsOf } from '../../dashboards/promql/node.ts';
import type { Vector } from '../../dashboards/promql/vector.ts';
import type { AlertWithRunbook } from '../../dashboards/rules/rule-files.ts';
import type { LoadedPacks } from '../load.ts';

export interface Use {
  readonly dashboard: string;
  readonly panel: string;
  readonly expression: Vector;
}

/** The panels that a metric is on, each once, with the first expression that asks for it. */
export function usesOf(name: string, { dashboards }: LoadedPacks): readonly Use[] {
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
export function alertsOn(name: string, { alerts }: LoadedPacks): readonly AlertWithRunbook[] {
  return alerts.filter(
    ({ measured, guard }) => mentions(measured, name) || (guard !== undefined && mentions(guard, name)),
  );
}

function mentions({ node }: Vector, metric: string): boolean {
  return selectorsOf(node).some(({ name }) => name === metric);
}

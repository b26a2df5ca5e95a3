/** Alerts as rules of Prometheus, one for each severity. */
import { and, compare } from '../promql/arithmetic.ts';
import type { Duration } from '../promql/node.ts';
import { render } from '../promql/render.ts';
import type { Vector } from '../promql/vector.ts';
import { levelOf, severities, type Alert, type Severity } from './alert.ts';
import { linksTo, type AlertContext } from './links.ts';
import { written } from './quantity.ts';
import { limitsOf } from './settings.ts';

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: Duration;
  readonly keep_firing_for?: Duration;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The most severe one comes last; none where the user does not want it. */
export function alertRules(alert: Alert, context: AlertContext): readonly AlertRule[] {
  const changes = context.settings.alerts[alert.name] ?? { limits: {} };
  if (changes.isOff === true) return [];
  const parts = { alert, context };
  if ('severity' in alert.raisedBy) {
    const { severity } = alert.raisedBy;
    return [rule(parts, { expression: alert.measured, severity, limit: '' })];
  }
  const { bad, unit, ...limits } = limitsOf(alert, changes);
  if (unit !== alert.measured.unit) throw new TypeError(`${alert.name} is in ${alert.measured.unit}, not in ${unit}`);
  return severities.flatMap((severity) => {
    const limit = limits[severity];
    if (limit === undefined) return [];
    const expression = compare(alert.measured, bad === 'above' ? '>=' : '<', limit);
    return [rule(parts, { expression, severity, limit: written(limit, unit) })];
  });
}

interface Limit {
  readonly expression: Vector;
  readonly severity: Severity | 'none';
  readonly limit: string;
}

function rule(
  { alert, context }: { readonly alert: Alert; readonly context: AlertContext },
  { expression, severity, limit }: Limit,
): AlertRule {
  const { name, owner, guard, keepFiringFor, labels = {}, summary, description } = alert;
  const waits = context.settings.alerts[name]?.for ?? alert.for;
  return {
    alert: name,
    expr: render(guard === undefined ? expression : and(expression, guard)),
    ...(waits !== '0m' && { for: waits }),
    ...(keepFiringFor !== undefined && { keep_firing_for: keepFiringFor }),
    labels: {
      severity,
      ...(severity !== 'none' && { level: levelOf(alert, severity) }),
      owner,
      ...Object.fromEntries(Object.entries(labels).map(([label, from]) => [label, `{{ $labels.${from} }}`])),
    },
    annotations: { summary, description: description(limit), ...linksTo(alert, context) },
  };
}

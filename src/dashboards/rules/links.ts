/** The links of an alert: its runbook, the panel that shows it, and the issues in Sentry. Templates of Prometheus. */
import { layOut } from '../model/layout.ts';
import type { Dashboard } from '../model/panel.ts';
import { scopeOf } from '../model/variables.ts';
import { selectorsOf } from '../promql/node.ts';
import type { Scope } from '../promql/render.ts';
import type { Alert } from './alert.ts';
import type { RuleSettings } from './settings.ts';

export interface AlertContext {
  readonly settings: RuleSettings;
  /** The dashboards that alerts refer to. */
  readonly dashboards: readonly Dashboard[];
  /** The address of the folder of its runbook. */
  readonly runbooks: string;
}

export function linksTo(
  alert: Alert,
  { settings: { links }, dashboards, runbooks }: AlertContext,
): Record<string, string> {
  const { panel } = alert;
  return {
    runbook_url: `${links.runbooks ?? runbooks}/${alert.name}.md`,
    ...(panel !== undefined && { dashboard_url: `${links.grafana}${panelPath(alert, panel, dashboards)}` }),
    ...(links.sentry !== undefined && {
      sentry_url: `${links.sentry}/issues/?query=is%3Aunresolved&statsPeriod=14d`,
    }),
  };
}

/** The panel alone, with the labels of the alert as the dashboard's variables. */
function panelPath(alert: Alert, panel: NonNullable<Alert['panel']>, dashboards: readonly Dashboard[]): string {
  const dashboard = dashboards.find(({ uid }) => uid === panel.dashboard);
  const placed = dashboard && layOut(dashboard).flatMap((row) => row.panels);
  const id = placed?.find((one) => one.panel.title === panel.title)?.id;
  if (dashboard === undefined || id === undefined)
    throw new Error(`${alert.name}: dashboard ${panel.dashboard} has no panel ${panel.title}`);
  const chosen = variablesOf(alert, scopeOf(dashboard.variables));
  const query = [...chosen, ['viewPanel', String(id)]].map(([name, value]) => `${name}=${value}`);
  return `/d/${panel.dashboard}?${query.join('&')}`;
}

function variablesOf({ measured }: Alert, { labels, sources }: Scope): [string, string][] {
  const [source] = new Set(selectorsOf(measured.node).map(({ metric }) => metric.source));
  const variables = { ...labels, ...(source !== undefined && sources[source]) };
  return measured.labels.flatMap((label) => {
    const variable = variables[label];
    return variable === undefined ? [] : [[`var-${variable}`, `{{ $labels.${label} | urlquery }}`]];
  });
}

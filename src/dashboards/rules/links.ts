/** Where an alert leads: its runbook, the panel that shows it, and what Sentry knows. Templates of Prometheus. */
import { knownMetrics } from '../../packs/known-metrics.ts';
import { dashboards } from '../../packs/dashboards.ts';
import { layOut } from '../model/layout.ts';
import { scopeOf } from '../model/variables.ts';
import { selectorsOf } from '../promql/node.ts';
import type { Scope } from '../promql/render.ts';
import type { Alert } from './alert.ts';
import type { Links } from './settings.ts';

export function linksTo(alert: Alert, links: Links): Readonly<Record<string, string>> {
  return {
    runbook_url: `${links.runbooks}/${alert.name}.md`,
    ...(alert.panel !== undefined && { dashboard_url: dashboardUrl(alert, alert.panel, links.grafana) }),
    sentry_url: `${links.sentry}/issues/?query=is%3Aunresolved&statsPeriod=14d`,
  };
}

/** The panel alone, with the labels of the alert as the dashboard's variables. */
function dashboardUrl(alert: Alert, panel: NonNullable<Alert['panel']>, grafana: string): string {
  const dashboard = dashboards.find(({ uid }) => uid === panel.dashboard);
  const placed = dashboard && layOut(dashboard).flatMap((row) => row.panels);
  const id = placed?.find((one) => one.panel.title === panel.title)?.id;
  if (dashboard === undefined || id === undefined) throw new Error(`no panel ${panel.title} on ${panel.dashboard}`);
  const chosen = variablesOf(alert, scopeOf(dashboard.variables));
  const query = [...chosen, ['viewPanel', String(id)]].map(([name, value]) => `${name}=${value}`);
  return `${grafana}/d/${panel.dashboard}?${query.join('&')}`;
}

function variablesOf({ measured }: Alert, { labels, sources }: Scope): [string, string][] {
  const [source] = new Set(selectorsOf(measured.node).map(({ metric }) => knownMetrics[metric].source));
  const variables = { ...labels, ...(source !== undefined && sources[source]) };
  return measured.labels.flatMap((label) => {
    const variable = variables[label];
    return variable === undefined ? [] : [[`var-${variable}`, `{{ $labels.${label} | urlquery }}`]];
  });
}

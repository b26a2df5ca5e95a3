import { alertsDocument } from './alerts-document.ts';
import { dashboards } from './content/dashboards.ts';
import { classicDashboard } from './grafana/classic.ts';
import { dashboardResource } from './grafana/resource.ts';
import { metricsDocument } from './metrics-document.ts';
import { plain } from './model/plain.ts';
import { ruleFiles } from './rules/rule-files.ts';
import { defaultSettings } from './rules/settings.ts';

/** Every file that is generated, by its name in the project. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = new Map([
    ['docs/metrics.md', metricsDocument()],
    ['docs/runbooks/README.md', alertsDocument()],
  ]);
  for (const dashboard of dashboards.map(plain)) {
    files.set(`dashboards/grafana/${dashboard.uid}.json`, json(classicDashboard(dashboard)));
    files.set(`dashboards/grafana-v2/${dashboard.uid}.json`, json(dashboardResource(dashboard)));
    files.set(`dashboards/model/${dashboard.uid}.json`, json(dashboard));
  }
  for (const [name, text] of ruleFiles(defaultSettings)) files.set(`dashboards/prometheus/${name}`, text);
  return files;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

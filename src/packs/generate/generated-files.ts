import { alertsDocument } from './alerts-document.ts';
import { dashboards } from '../dashboards.ts';
import { classicDashboard } from '../../dashboards/grafana/classic.ts';
import { dashboardResource } from '../../dashboards/grafana/resource.ts';
import { metricsDocument } from './metrics-document.ts';
import { plain } from '../../dashboards/model/plain.ts';
import { ruleFiles } from '../../dashboards/rules/rule-files.ts';
import { defaultSettings } from '../../dashboards/rules/settings.ts';

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

import { packs } from '../index.ts';
import { loadPacks } from '../load.ts';
import { alertsDocument } from './alerts-document.ts';
import { classicDashboardText } from '../../dashboards/grafana/classic.ts';
import { metricsDocument } from './metrics-document.ts';
import { dashboardModels } from '../../dashboards/model/dashboard-model.ts';
import { ruleFiles } from '../../dashboards/rules/rule-files.ts';
import { defaultSettings } from '../../dashboards/rules/settings.ts';

/** Every file that is generated, by its name in the project. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const loaded = await loadPacks(packs);
  const files = new Map([
    ['docs/metrics.md', metricsDocument(loaded)],
    ['docs/runbooks/README.md', alertsDocument(loaded)],
  ]);
  for (const dashboard of dashboardModels(loaded.dashboards)) {
    files.set(`dashboards/grafana/${dashboard.uid}.json`, classicDashboardText(dashboard));
  }
  for (const [name, text] of ruleFiles(loaded, defaultSettings)) files.set(`dashboards/prometheus/${name}`, text);
  return files;
}

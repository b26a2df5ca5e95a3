import { dashboardModels } from '../dashboards/model/dashboard-model.ts';
import type { Dashboard } from '../dashboards/model/panel.ts';
import { pageFiles, type PageFile } from './page-files.ts';
import { VIEWS } from './page-settings.ts';

/** How often `metrics_history` records by default. With a longer interval, lines are coarser, not wrong. */
const SCRAPE_S = 5;

/** The files of the page as the extension `console` serves it. */
export function consoleFiles(folder: URL, dashboards: readonly Dashboard[]): ReadonlyMap<string, PageFile> {
  return pageFiles(folder, {
    dashboards: dashboardModels(dashboards),
    scrapeS: SCRAPE_S,
    prometheus: '',
    listsOnlyWithData: true,
    views: VIEWS,
  });
}

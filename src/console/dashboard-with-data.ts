import type { DashboardModel } from '../dashboards/model/dashboard-model.ts';
import { COUNTING_SINCE, PROCESS_START } from '../dashboards/promql/first-value.ts';

/**
 * The first dashboard with a metric of one of these names on half of its panels; otherwise the one with the largest
 * share, or the first one.
 *
 * @throws RangeError without dashboards.
 */
export function dashboardWithData(dashboards: readonly DashboardModel[], names: ReadonlySet<string>): DashboardModel {
  const shares = dashboards.map((dashboard) => shareWithData(dashboard, names));
  const [half, largest] = [shares.findIndex((share) => share >= 0.5), shares.indexOf(Math.max(...shares))];
  const chosen = dashboards[half >= 0 ? half : largest];
  if (chosen === undefined) throw new RangeError('no dashboard');
  return chosen;
}

/** The dashboards with data on a third of their panels; all if none has it. Some panels are on several dashboards. */
export function dashboardsWithData(
  dashboards: readonly DashboardModel[],
  names: ReadonlySet<string>,
): readonly DashboardModel[] {
  const filled = dashboards.filter((dashboard) => shareWithData(dashboard, names) >= 1 / 3);
  return filled.length > 0 ? filled : dashboards;
}

function shareWithData({ rows }: DashboardModel, names: ReadonlySet<string>): number {
  const panels = rows.flatMap((row) => row.panels);
  const filled = panels.filter(({ queries }) =>
    queries.some(
      ({ expression }) => expression.match(METRIC)?.some((word) => !STARTS.has(word) && names.has(word)) === true,
    ),
  );
  return filled.length / Math.max(1, panels.length);
}

/** They belong to the counts of others. */
const STARTS = new Set([PROCESS_START.name, COUNTING_SINCE.name]);

const METRIC = /[A-Za-z_:][\w:]*/g;

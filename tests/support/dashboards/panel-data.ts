import { answersOf, exemplarsOf, seriesOf, type Moment } from '../../../src/console/answers.ts';
import type { DataSource, Exemplar, Span } from '../../../src/console/data-source.ts';
import { secondsOf } from '../../../src/dashboards/promql/duration.ts';
import { withChoices } from '../../../src/console/expression.ts';
import { nameOf } from '../../../src/console/series-name.ts';
import { viewOf } from '../../../src/console/view.ts';
import {
  dashboardModels,
  type DashboardModel,
  type PanelModel,
} from '../../../src/dashboards/model/dashboard-model.ts';
import { waitFor } from '../wait-for.ts';
import { SCRAPE_S } from './monitored-demo.ts';
import { shipped } from './shipped.ts';

export interface DashboardPanel {
  readonly dashboard: DashboardModel;
  readonly panel: PanelModel;
}

export const dashboards: readonly DashboardModel[] = dashboardModels(shipped.dashboards);

export const eachPanel: readonly DashboardPanel[] = dashboards.flatMap((dashboard) =>
  dashboard.rows.flatMap(({ panels }) => panels.map((panel) => ({ dashboard, panel }))),
);

/** Panels that are empty in a new demo without a fault. */
export const notInADemo: ReadonlySet<string> = new Set(['Inserts that were not counted']);

export interface Asked {
  readonly range: string;
  /** The end of the range; default now. */
  readonly nowS?: number;
  readonly scrapeS?: number;
  /** The values of the variables as URL parameters; default all values. */
  readonly choices?: string;
}

/** Returns the names of the series or values that a panel shows for this range. */
export async function shownOn(
  source: DataSource,
  dashboard: DashboardModel,
  { panel, ...asked }: Asked & Pick<DashboardPanel, 'panel'>,
): Promise<readonly string[]> {
  const moment = momentOf(dashboard, asked);
  if (panel.form === 'graph') return (await seriesOf(panel, source, moment)).series.map(({ name }) => name);
  const answers = await answersOf(panel, source, moment);
  return answers.flatMap(({ query, samples }) => samples.map(({ labels }) => nameOf(query.legend, labels)));
}

/** Returns the dots of a graph for this range: the largest exemplar of each short interval. */
export async function dotsOn(
  source: DataSource,
  { dashboard, panel }: DashboardPanel,
  asked: Asked,
): Promise<readonly Exemplar[]> {
  if (panel.form !== 'graph') throw new Error(`“${panel.title}” is not a graph`);
  const moment = momentOf(dashboard, asked);
  const { steps } = await seriesOf(panel, source, moment);
  return await exemplarsOf(panel, source, { moment, steps });
}

/** Returns the panels that show missing data. */
export async function panelsWithoutData(source: DataSource, asked: Asked): Promise<readonly string[]> {
  const mustHaveData = eachPanel.filter(
    ({ panel: { empty, title } }) => empty.meaning === 'unknown' && !notInADemo.has(title),
  );
  const answered = await Promise.all(
    mustHaveData.map(async ({ dashboard, panel }) =>
      (await shownOn(source, dashboard, { panel, ...asked })).length > 0 ? [] : panel.title,
    ),
  );
  return answered.flat();
}

/** Resolves when every panel has data for the last minutes. */
export async function allPanelsHaveData(source: DataSource): Promise<void> {
  let empty: readonly string[] = [];
  await waitFor(async () => (empty = await panelsWithoutData(source, { range: '15m' })).length === 0, {
    what: 'every panel to have data',
    timeoutMs: 90_000,
  }).catch((cause: unknown) => {
    throw new Error(`without data: ${empty.join(', ')}`, { cause });
  });
}

/** Returns the variables that have no values to choose from. */
export async function variablesWithoutValues(source: DataSource, time: Span): Promise<readonly string[]> {
  const without: string[] = [];
  for (const { variables, uid } of dashboards) {
    const everything = Object.fromEntries(variables.map(({ name }) => [name, undefined]));
    for (const variable of variables) {
      if (variable.kind !== 'values') continue;
      const values = await source.labelValues(variable.of, withChoices(variable.series, everything), time);
      if (values.length === 0) without.push(`${variable.name} of ${uid}`);
    }
  }
  return without;
}

function momentOf(
  dashboard: DashboardModel,
  { range, nowS = Date.now() / 1000, scrapeS = SCRAPE_S, choices: chosen = '' }: Asked,
): Moment {
  const { choices } = viewOf(dashboard, new URLSearchParams(chosen));
  return { nowS, lengthS: secondsOf(range)!, scrapeS, choices };
}

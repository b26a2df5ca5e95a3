import { answersOf, seriesOf, type Moment } from '../../src/console/answers.ts';
import type { DataSource } from '../../src/console/data-source.ts';
import { secondsOf } from '../../src/console/duration.ts';
import { nameOf } from '../../src/console/series-name.ts';
import { viewOf } from '../../src/console/view.ts';
import type { PlainDashboard, PlainPanel } from '../../src/dashboards/model/plain.ts';
import { SCRAPE_S } from './watched-demo.ts';

/** The names of what a panel shows over this range, with everything chosen that its dashboard lets choose. */
export async function shownOn(
  source: DataSource,
  dashboard: PlainDashboard,
  { panel, range }: { readonly panel: PlainPanel; readonly range: string },
): Promise<readonly string[]> {
  const { choices } = viewOf(dashboard, new URLSearchParams());
  const moment: Moment = { nowS: Date.now() / 1000, lengthS: secondsOf(range)!, scrapeS: SCRAPE_S, choices };
  if (panel.form === 'graph') return (await seriesOf(panel, source, moment)).series.map(({ name }) => name);
  const answers = await answersOf(panel, source, moment);
  return answers.flatMap(({ query, samples }) => samples.map(({ labels }) => nameOf(query.legend, labels)));
}

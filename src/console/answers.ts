import type { PlainPanel } from '../dashboards/model/plain.ts';
import type { DataSource, Sample, Steps } from './data-source.ts';
import { secondsOf } from './duration.ts';
import { concrete, stepsFor, type Choices } from './expression.ts';
import type { NamedSeries } from './graph-data.ts';
import { nameOf } from './series-name.ts';

/** When, and of what, everything on a page is asked. */
export interface Moment {
  readonly nowS: number;
  readonly lengthS: number;
  readonly scrapeS: number;
  readonly choices: Choices;
}

const POINTS_A_COLUMN = 12;

/** What every query of a panel says now. */
export async function answersOf(
  { queries }: PlainPanel,
  source: DataSource,
  { nowS, lengthS, scrapeS, choices }: Moment,
): Promise<readonly { readonly query: PlainPanel['queries'][number]; readonly samples: readonly Sample[] }[]> {
  const steps = { fromS: nowS - lengthS, toS: nowS, stepS: scrapeS };
  return await Promise.all(
    queries.map(async (query) => {
      const samples = await source.at(concrete(query.expression, { choices, steps, scrapeS }), nowS);
      // A ratio of nothing to nothing is no number, and so nothing is known.
      return { query, samples: samples.filter(({ value }) => !Number.isNaN(value)) };
    }),
  );
}

/** What they say over time. */
export async function seriesOf(
  { queries, place, minStep = '' }: PlainPanel,
  source: DataSource,
  { nowS, lengthS, scrapeS, choices }: Moment,
): Promise<{ readonly steps: Steps; readonly series: readonly NamedSeries[] }> {
  const leastS = Math.max(secondsOf(minStep) ?? 0, scrapeS);
  const steps = stepsFor({ lengthS, nowS }, { points: place.width * POINTS_A_COLUMN, leastS });
  const answers = await Promise.all(
    queries.map(async ({ expression, legend }) => {
      const series = await source.over(concrete(expression, { choices, steps, scrapeS }), steps);
      return series.map(({ labels, values }) => ({ name: nameOf(legend, labels), values }));
    }),
  );
  const series = answers.flat().filter(({ values }) => values.some((value) => value !== null));
  return { steps, series };
}

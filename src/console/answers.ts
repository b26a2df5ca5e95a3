import { POINTS_A_COLUMN } from '../dashboards/model/layout.ts';
import type { GraphModel, PanelModel } from '../dashboards/model/dashboard-model.ts';
import type { DataSource, Exemplar, Sample, Steps } from './data-source.ts';
import { secondsOf } from '../dashboards/promql/duration.ts';
import { chosenExemplars } from './exemplar-choice.ts';
import { concrete, stepsFor, type Choices } from './expression.ts';
import { largestOf, type NamedSeries } from './graph-data.ts';
import { nameOf } from './series-name.ts';
import { shownPart } from './shown-part.ts';

/** The time range and the choices for all queries of a page. */
export interface Moment {
  readonly nowS: number;
  readonly lengthS: number;
  readonly scrapeS: number;
  readonly choices: Choices;
}

/** With more bars next to each other they are too narrow to see. */
const MOST_BARS = 24;

/** A graph with more lines is unreadable. */
const MOST_SERIES = 60;

/** The current result of a query of a panel. */
export interface AnsweredQuery {
  readonly query: PanelModel['queries'][number];
  /** The expression that was evaluated, without variables. */
  readonly expression: string;
  readonly atS: number;
  readonly samples: readonly Sample[];
}

/** The current results of a panel's queries. */
export async function answersOf(
  { queries }: PanelModel,
  source: DataSource,
  { nowS, lengthS, scrapeS, choices }: Moment,
): Promise<readonly AnsweredQuery[]> {
  const steps = { fromS: nowS - lengthS, toS: nowS, stepS: scrapeS };
  return await Promise.all(
    queries.map(async (query) => {
      const expression = concrete(query.expression, { choices, steps, scrapeS });
      const samples = await source.at(expression, nowS);
      // A ratio of 0 to 0 is NaN, so its value is unknown.
      return { query, expression, atS: nowS, samples: samples.filter(({ value }) => !Number.isNaN(value)) };
    }),
  );
}

/** The series of a graph. If there are too many, only the largest. */
export async function seriesOf(
  { queries, place, minStep = '', names, stacked }: GraphModel,
  source: DataSource,
  { nowS, lengthS, scrapeS, choices }: Moment,
): Promise<{ readonly steps: Steps; readonly series: readonly NamedSeries[]; readonly left: number }> {
  // In a short range a bar may cover less time; a rate needs at least four scrapes.
  const wideS = Math.min(secondsOf(minStep) ?? 0, Math.max(lengthS / MOST_BARS, 4 * scrapeS));
  const leastS = Math.max(wideS, scrapeS);
  const steps = stepsFor({ lengthS, nowS }, { points: place.width * POINTS_A_COLUMN, leastS });
  const answers = await Promise.all(
    queries.map(async ({ expression, legend }) => {
      const series = await source.over(concrete(expression, { choices, steps, scrapeS }), steps);
      return series.map(({ labels, values }) => ({ name: nameOf(legend, labels, names), values }));
    }),
  );
  const all = answers.flat().filter(({ values }) => values.some((value) => value !== null));
  const known = stacked ? withoutZeros(all) : all;
  if (known.length <= MOST_SERIES) return { steps, series: known, left: 0 };
  const { shown, left } = shownPart(
    known.toSorted((one, other) => size(other) - size(one)),
    MOST_SERIES,
  );
  return { steps, series: shown, left };
}

/** Parts of a whole that are always 0 are not seen and fill the legend. */
function withoutZeros(series: readonly NamedSeries[]): readonly NamedSeries[] {
  const parts = series.filter(({ values }) => values.some((value) => value !== null && value !== 0));
  return parts.length > 0 ? parts : series;
}

function size({ values }: NamedSeries): number {
  return largestOf(values) ?? -Infinity;
}

/** The traces behind them. A Prometheus that keeps none, or does not know what they are, takes nothing from the graph. */
export async function exemplarsOf(
  { queries }: GraphModel,
  source: DataSource,
  { moment: { scrapeS, choices }, steps }: { readonly moment: Moment; readonly steps: Steps },
): Promise<readonly Exemplar[]> {
  const asked = queries
    .flatMap(({ exemplars }) => exemplars ?? [])
    .map(async (query) => {
      return await source.exemplars(concrete(query, { choices, steps, scrapeS }), steps).catch(() => []);
    });
  return chosenExemplars((await Promise.all(asked)).flat(), steps);
}

import { Budget, type Steps as Work } from '../../promql/budget.ts';
import { evaluateOver, valueAt, type EvaluationSettings } from '../../promql/evaluate.ts';
import { keyOf, labelsOf } from '../../promql/labels.ts';
import { fitsAll, type Matcher } from '../../promql/matcher.ts';
import type { Samples, SeriesSource, StoredSeries } from '../../promql/series-source.ts';
import { selectorsIn, type Expression } from '../../promql/syntax/expression.ts';
import { parsePromql } from '../../promql/syntax/parse-promql.ts';
import { metricOf, readingsOf } from '../../rules/reach.ts';
import {
  momentsOf,
  type DataSource,
  type Exemplar,
  type Sample,
  type Series,
  type Span,
  type Steps,
} from '../data-source.ts';
import type { RecordedExemplars, RecordedSamples, RecordedSeries } from './recording.ts';

/** A file is read by one person, who can wait. */
const LIMITS = { maxSamples: 50_000_000, maxSeries: 50_000, timeoutMs: 30_000 };

/** Evaluates expressions over the samples of a file, with the values that the sidecar would give. */
export class RecordedMetrics implements DataSource, SeriesSource {
  readonly #series: readonly StoredSeries[];
  /** From when on the file has all samples of a metric. */
  readonly #since: ReadonlyMap<string, number>;
  readonly #exemplars: readonly RecordedExemplars[];
  readonly #settings: EvaluationSettings;

  constructor(samples: readonly RecordedSamples[], exemplars: readonly RecordedExemplars[]) {
    const series = samples.flatMap((one) => one.series.map((each) => stored(each, one.moments)));
    const keyed = series.map((one) => ({ one, key: keyOf(one.labels) }));
    this.#series = keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ one }) => one);
    this.#since = new Map(samples.map(({ name, sinceMs }) => [name, sinceMs]));
    this.#exemplars = exemplars;
    // A metric that is left out has none.
    const { lookbackMs = 1, subqueryStepMs = 1 } = samples.find((one) => one.series.length > 0) ?? {};
    this.#settings = { ...LIMITS, lookbackMs, subqueryStepMs };
  }

  async labelValues(label: string, series: string): Promise<readonly string[]> {
    const budget = new Budget(LIMITS);
    const values = new Set<string>();
    for (const { matchers } of selectorsIn(parsed(series)))
      for (const { labels } of finished(this.select(matchers, undefined, budget))) values.add(labels.get(label) ?? '');
    values.delete('');
    return [...values].toSorted();
  }

  async at(expression: string, atS: number): Promise<readonly Sample[]> {
    const tree = parsed(expression);
    const sinceMs = this.#knownSince(tree);
    const atMs = Math.round(atS * 1000);
    if (atMs < sinceMs) throw new Error(`The file has only what this needs since ${new Date(sinceMs).toISOString()}`);
    const context = { source: this, settings: this.#settings, budget: new Budget(LIMITS) };
    const result = finished(valueAt(tree, atMs, context));
    if (result.type === 'scalar') return [{ labels: {}, value: result.value }];
    if (result.type !== 'vector') return [];
    return result.series.map(({ labels, values }) => ({
      labels: Object.fromEntries(labels),
      value: values[0] as number,
    }));
  }

  async over(expression: string, steps: Steps): Promise<readonly Series[]> {
    const [startMs, endMs, stepMs] = [steps.fromS, steps.toS, steps.stepS].map((s) => Math.round(s * 1000)) as [
      number,
      number,
      number,
    ];
    const sinceMs = this.#knownSince(parsed(expression));
    const results = finished(evaluateOver(expression, { startMs, endMs, stepMs }, this, this.#settings));
    return results.map(({ labels, timesMs, values }) => {
      const known = new Map(
        [...timesMs].map((timeMs, index) => [
          Math.round((timeMs - startMs) / stepMs),
          { timeMs, value: values[index] },
        ]),
      );
      return {
        labels: Object.fromEntries(labels),
        values: momentsOf(steps).map((_, index) => {
          const { timeMs = -Infinity, value = NaN } = known.get(index) ?? {};
          return timeMs >= sinceMs && Number.isFinite(value) ? value : null;
        }),
      };
    });
  }

  async exemplars(expression: string, { fromS, toS }: Span): Promise<readonly Exemplar[]> {
    const budget = new Budget(LIMITS);
    const selectors = [...selectorsIn(parsed(expression))];
    return this.#exemplars.flatMap(({ seriesLabels, exemplars }) => {
      const labels = labelsOf(Object.entries(seriesLabels));
      if (!selectors.some(({ matchers }) => finished(fitsAll(labels, matchers, budget)))) return [];
      return exemplars
        .map(({ labels: own, timestamp, value }) => ({ labels: own, timeS: timestamp, value: Number(value) }))
        .filter(({ timeS }) => timeS >= fromS && timeS <= toS);
    });
  }

  *select(matchers: readonly Matcher[], _time: unknown, budget: Budget): Work<readonly StoredSeries[]> {
    const found: StoredSeries[] = [];
    for (const series of this.#series) if (yield* fitsAll(series.labels, matchers, budget)) found.push(series);
    return found;
  }

  /** From when on an expression has the value that it had in the sidecar. */
  #knownSince(expression: Expression): number {
    const all = Math.max(-Infinity, ...this.#since.values());
    const since = readingsOf(expression).map((reading) => {
      const name = metricOf(reading);
      const first = name === undefined ? all : (this.#since.get(name) ?? -Infinity);
      return first + reading.reachMs + this.#settings.lookbackMs;
    });
    return Math.max(-Infinity, ...since);
  }
}

function stored({ metric, moments, values }: RecordedSeries, lists: RecordedSamples['moments']): StoredSeries {
  const labels = labelsOf(Object.entries(metric));
  const samples: Samples = {
    timesMs: Float64Array.from(lists[moments] ?? []),
    values: Float64Array.from(values, valueOf),
    ended: Uint8Array.from(values, (value) => Number(value === null)),
  };
  return { labels, samples: () => samples };
}

function valueOf(value: number | string | null): number {
  if (typeof value === 'number') return value;
  if (value === null || value === 'NaN') return NaN;
  return value === '-Inf' ? -Infinity : Infinity;
}

function parsed(expression: string): Expression {
  return finished(parsePromql(expression, new Budget(LIMITS)));
}

/** Nothing else waits in the page of a file. */
function finished<T>(work: Work<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/**
 * `promql(metrics)` returns functions that select series of these metrics. The types know their names, labels and label
 * values, so a wrong one does not compile.
 */
import type { Metric } from '../../metrics/metric.ts';
import { eventsOf, occurrencesOf } from './events.ts';
import {
  histogramMean,
  histogramQuantile,
  histogramSumRate,
  observedUpTo,
  occurredUpTo,
  quantileOfOccurrences,
  shareAbove,
  summedBuckets,
  type AnyHistogramQuery,
} from './histogram.ts';
import type { Duration, Window } from './node.ts';
import { overWindow, rateOf, scraped, type AnyWhere, type Source } from './select.ts';
import type { Series, TargetLabel, Vector } from './vector.ts';

/** The keys are Prometheus names. */
export type MetricsByName = Readonly<Record<string, Metric>>;

export type LabelOf<M extends MetricsByName, Name extends keyof M> = (keyof M[Name]['labels'] & string) | TargetLabel;

export type ValueOf<M extends MetricsByName, Name extends keyof M, Label> = Label extends keyof M[Name]['labels']
  ? M[Name]['labels'][Label] extends readonly (infer Value extends string)[]
    ? Value
    : string
  : string;

type NameOfKind<M extends MetricsByName, Kind> = {
  [Name in keyof M & string]: M[Name]['kind'] extends Kind ? Name : never;
}[keyof M & string];

export type CounterName<M extends MetricsByName> = NameOfKind<M, 'counter'>;
export type GaugeName<M extends MetricsByName> = NameOfKind<M, 'gauge'>;
export type HistogramName<M extends MetricsByName> = NameOfKind<M, 'histogram'>;

/** Upper bounds that the histogram has. */
export type BoundOf<M extends MetricsByName, Name extends keyof M> = M[Name] extends {
  readonly buckets: readonly (infer Bound)[];
}
  ? Bound
  : never;

/** Values that a label must not have. */
export interface Not<Value extends string> {
  readonly not: Value | readonly Value[];
}

/** Values that begin with the same text, such as all statuses 5xx. */
export interface StartsWith {
  readonly startsWith: string;
}

/** Conditions for labels: a value, one of several values, none of them, or the beginning of the value. */
export type Where<M extends MetricsByName, Name extends keyof M> = {
  readonly [Label in LabelOf<M, Name>]?:
    | ValueOf<M, Name, Label>
    | readonly ValueOf<M, Name, Label>[]
    | Not<ValueOf<M, Name, Label>>
    | StartsWith;
};

export interface HistogramQuery<M extends MetricsByName, Name extends keyof M, Label> {
  readonly name: Name;
  readonly window: Window;
  readonly where?: Where<M, Name>;
  readonly by?: readonly Label[];
}

type OverWindow<M extends MetricsByName, Names extends keyof M> = <Name extends Names>(
  name: Name,
  window: Window,
  where?: Where<M, Name>,
) => Series<LabelOf<M, Name>>;

/** The number of events: of a counter, or of the observations of a histogram. */
export type Count<M extends MetricsByName> = <Name extends CounterName<M> | HistogramName<M>>(
  name: Name,
  where?: Where<M, Name>,
) => Series<LabelOf<M, Name>>;

type OfHistogram<M extends MetricsByName> = <Name extends HistogramName<M>, Label extends LabelOf<M, Name> = never>(
  query: HistogramQuery<M, Name, Label>,
) => Vector<Label>;

type QuantileOf<M extends MetricsByName, Lookback extends Window> = <
  Name extends HistogramName<M>,
  Label extends LabelOf<M, Name> = never,
>(
  q: number,
  query: HistogramQuery<M, Name, Label> & { readonly window: Lookback },
) => Vector<Label>;

export interface Promql<M extends MetricsByName> {
  /** The series of a counter or gauge, for the values of a variable. */
  readonly seriesOf: <Name extends CounterName<M> | GaugeName<M>>(name: Name) => Series<LabelOf<M, Name>>;
  /** The value of a gauge. */
  readonly latest: <Name extends GaugeName<M>>(name: Name, where?: Where<M, Name>) => Series<LabelOf<M, Name>>;
  /** The largest, smallest or mean value of a gauge over a window. */
  readonly overTime: <Name extends GaugeName<M>>(
    which: 'max' | 'min' | 'avg',
    name: Name,
    window: Window,
    where?: Where<M, Name>,
  ) => Series<LabelOf<M, Name>>;
  /** The difference between the ends of a window of a gauge. */
  readonly change: OverWindow<M, GaugeName<M>>;
  /** Events per second over a window: of a counter, or of the observations of a histogram. */
  readonly rate: OverWindow<M, CounterName<M> | HistogramName<M>>;
  /**
   * Events within a window, or from one point of a graph to the next. Counters of a service begin with its process: their
   * first value counts, because a job that ends before its second scrape has no other.
   */
  readonly increase: OverWindow<M, CounterName<M>>;
  /** The same as a function of the metric, for expressions that are used with several windows. */
  readonly increases: (window: Window) => Count<M>;
  /** Events within a window, including the first value of a counter of any source that is known to be from it; for alerts. */
  readonly occurrences: (window: Duration) => Count<M>;
  /** Observations of a histogram within a window. */
  readonly observations: OverWindow<M, HistogramName<M>>;
  /** Observations within a window that were at most `bound`, which is one of the histogram's bounds. */
  readonly observationsUpTo: <Name extends HistogramName<M>>(
    name: Name,
    bound: BoundOf<M, Name>,
    window: Window,
    where?: Where<M, Name>,
  ) => Series<LabelOf<M, Name>>;
  /** The same, including the first value of a histogram of any source that is known to be from the window; for alerts. */
  readonly occurrencesUpTo: <Name extends HistogramName<M>>(
    name: Name,
    bound: BoundOf<M, Name>,
    window: Duration,
    where?: Where<M, Name>,
  ) => Series<LabelOf<M, Name>>;
  /** The share of the observations within a window that were above `bound`, which is one of the histogram's bounds. */
  readonly shareAbove: <Name extends HistogramName<M>, Label extends LabelOf<M, Name> = never>(
    bound: BoundOf<M, Name>,
    query: HistogramQuery<M, Name, Label>,
  ) => Vector<Label>;
  /**
   * The value that a share `q` of the observations does not exceed, interpolated between two bounds. Absent without
   * observations, and below the first bound, where it would be invented. `mean` and `shareAbove` are exact.
   */
  readonly quantile: QuantileOf<M, Window>;
  /** `quantile` of everything that `occurrences` counts. */
  readonly quantileOfOccurrences: QuantileOf<M, Duration>;
  /** Observations within a window that were at most the bound `le`; a panel draws them as a histogram. */
  readonly buckets: <Name extends HistogramName<M>>(query: Omit<HistogramQuery<M, Name, never>, 'by'>) => Vector<'le'>;
  /** The mean of the observations within a window. Without observations it is absent. */
  readonly mean: OfHistogram<M>;
  /** The sum of the observations per second over a window. */
  readonly sumRate: OverWindow<M, HistogramName<M>>;
}

export function promql<const M extends MetricsByName>(metrics: M): Promql<M> {
  const source = (name: string): Source => ({ name, metric: metrics[name] as Metric });
  const count = (window: Window) => (name: string, where?: AnyWhere) => eventsOf(source(name), window, where);
  const untyped = {
    seriesOf: (name: string) => scraped(source(name)),
    latest: (name: string, where?: AnyWhere) => scraped(source(name), where),
    overTime: (which: string, name: string, window: Window, where?: AnyWhere) =>
      overWindow(`${which}_over_time`, source(name), window, where),
    change: (name: string, window: Window, where?: AnyWhere) => overWindow('delta', source(name), window, where),
    rate: (name: string, window: Window, where?: AnyWhere) => rateOf(source(name), window, where),
    increase: (name: string, window: Window, where?: AnyWhere) => eventsOf(source(name), window, where),
    increases: count,
    occurrences: (window: Duration) => (name: string, where?: AnyWhere) => occurrencesOf(source(name), window, where),
    observations: (name: string, window: Window, where?: AnyWhere) => eventsOf(source(name), window, where),
    observationsUpTo: (name: string, bound: number, window: Window, where?: AnyWhere) =>
      observedUpTo(source(name), bound, window, where),
    occurrencesUpTo: (name: string, bound: number, window: Duration, where?: AnyWhere) =>
      occurredUpTo(source(name), bound, window, where),
    shareAbove: (bound: number, query: AnyHistogramQuery) => shareAbove(source(query.name), bound, query),
    quantile: (q: number, query: AnyHistogramQuery) => histogramQuantile(q, source(query.name), query),
    quantileOfOccurrences: (q: number, query: AnyHistogramQuery) => quantileOfOccurrences(q, source(query.name), query),
    buckets: (query: AnyHistogramQuery) => summedBuckets(source(query.name), query),
    mean: (query: AnyHistogramQuery) => histogramMean(source(query.name), query),
    sumRate: (name: string, window: Window, where?: AnyWhere) => histogramSumRate(source(name), window, where),
  };
  // `Promql<M>` accepts only names, labels and values that these functions accept as strings.
  return untyped as unknown as Promql<M>;
}

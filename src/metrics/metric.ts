/** How a metric is described: once, for everything that emits, shows or checks it. */

/**
 * Where the metric comes from; each has one source. `sdk`: instruments in the service's process. `runtime`: the
 * instrumentations that the preload sets up there. `poller`: the sidecar's database poller. `sidecar`: the sidecar about
 * itself. `prometheus`: Prometheus about its scrapes.
 */
export type MetricSource = 'sdk' | 'runtime' | 'poller' | 'sidecar' | 'prometheus';

/** A label whose values are all known: a wrong value does not compile. */
export type ClosedLabel = readonly string[];

/** A label whose values come from data, or from the user's configuration. */
export interface BudgetedLabel {
  /** Further values from data become `other`. For values that the configuration or the emitter chooses, an estimate. */
  readonly maxValues: number;
  readonly description: string;
  /** The configuration lists the values, so none of them becomes `other`. */
  readonly fromConfiguration?: true;
  /** The code that emits the metric chooses the values each time, so none of them becomes `other`. */
  readonly chosenByEmitter?: true;
  /** Every series has this value. */
  readonly constant?: string;
}

export type Labels = Readonly<Record<string, ClosedLabel | BudgetedLabel>>;

interface MetricOf<Kind extends string> {
  readonly kind: Kind;
  /** The OpenTelemetry name. The stock translation turns it and the unit into the Prometheus name. */
  readonly name: string;
  /** UCUM, or an annotation in braces, which does not reach the Prometheus name. */
  readonly unit: string;
  /** One sentence without the full stop. It becomes the HELP text and the entry in docs/metrics.md. */
  readonly description: string;
  readonly labels: Labels;
  /** The OpenTelemetry names of labels whose Prometheus name differs. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly source: MetricSource;
  /**
   * The poller counts rows of a table and began with 0, so that the first value is what it has counted since then. Counters
   * that PostgreSQL keeps itself are older.
   */
  readonly countsRows?: true;
}

export interface CounterMetric extends MetricOf<'counter'> {
  /**
   * The counter exists with 0 before its first increment, so that a rate sees that increment. Listed here: the closed
   * labels whose values are known from the start, with these values. Components add the values of the other labels.
   */
  readonly startsAtZero?: Readonly<Record<string, ClosedLabel>>;
}

export type GaugeMetric = MetricOf<'gauge'>;

export interface HistogramMetric extends MetricOf<'histogram'> {
  /** Upper bounds, in `unit`, without +Inf. */
  readonly buckets: readonly number[];
}

export type Metric = CounterMetric | GaugeMetric | HistogramMetric;

/** The labels that a data point of `M` carries, with their values. */
export type LabelValues<M extends Metric> = {
  readonly [Key in keyof M['labels']]: M['labels'][Key] extends readonly (infer Value)[] ? Value : string;
};

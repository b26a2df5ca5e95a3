/** The form in which a metric is described, once, for everything that emits, shows or checks it. */

/** Which side of siphon emits the metric: the SDK in the service's process, or the sidecar's database poller. Never both. */
export type MetricSource = 'sdk' | 'poller';

/** A label whose values are all known: a wrong one does not compile. */
export type ClosedLabel = readonly string[];

/** A label whose values come from data. */
export interface BudgetedLabel {
  readonly maxValues: number;
  readonly description: string;
}

export type Labels = Readonly<Record<string, ClosedLabel | BudgetedLabel>>;

interface MetricOf<Kind extends string> {
  readonly kind: Kind;
  /** The OpenTelemetry name. The stock translation turns it and the unit into the Prometheus name. */
  readonly name: string;
  /** UCUM, or an annotation in braces, which does not reach the Prometheus name. */
  readonly unit: string;
  readonly description: string;
  readonly labels: Labels;
  readonly source: MetricSource;
}

export type CounterMetric = MetricOf<'counter'>;
export type GaugeMetric = MetricOf<'gauge'>;
export interface HistogramMetric extends MetricOf<'histogram'> {
  /** Upper bounds, in `unit`, without +Inf. */
  readonly buckets: readonly number[];
}

export type Metric = CounterMetric | GaugeMetric | HistogramMetric;

/** The attributes that a data point of `M` carries. */
export type LabelValues<M extends Metric> = {
  readonly [Key in keyof M['labels']]: M['labels'][Key] extends readonly (infer Value)[] ? Value : string;
};

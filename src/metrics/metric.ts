/** The form in which a metric is described, once, for everything that emits, shows or checks it. */

/**
 * Who emits the metric, never two of them: `siphon-otel/pipeline` in the service's process, the instrumentations that the
 * preload sets up there, the sidecar's database poller, the sidecar about itself, or Prometheus about its scrapes.
 */
export type MetricSource = 'sdk' | 'runtime' | 'poller' | 'sidecar' | 'prometheus';

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

/** Makes the instruments that the descriptions of metrics ask for. No other code calls `meter.create…`. */
import type { Attributes, Context, Meter, MetricOptions, ObservableCallback } from '@opentelemetry/api';
import { boundedLabel } from './bounded-label.ts';
import type { CounterMetric, GaugeMetric, HistogramMetric, LabelValues, Metric } from './metric.ts';

export interface CounterOf<M extends CounterMetric, Implied extends string = never> {
  add(value: number, ...labels: Arguments<LabelsOf<M, Implied>>): void;
  /** Creates the series of these labels with 0, so that a rate sees the first increment. */
  startAtZero(labels: Omit<LabelsOf<M, Implied>, keyof M['startsAtZero']>): void;
}

export interface RecorderOf<M extends Metric, Implied extends string = never> {
  record(value: number, ...labels: Arguments<LabelsOf<M, Implied>>): void;
}

/** Reports one value of an instrument that is read when metrics are collected. */
export type Observe<M extends Metric, Implied extends string = never> = (
  value: number,
  ...labels: Arguments<LabelsOf<M, Implied>>
) => void;

/** The labels that the caller adds: those of the description without the implied ones. */
type LabelsOf<M extends Metric, Implied extends string> = Omit<LabelValues<M>, Implied>;

/** Labels are left out where the metric has none. The context is where a histogram finds its exemplar. */
type Arguments<Labels> = keyof Labels extends never
  ? [labels?: Labels, context?: Context]
  : [labels: Labels, context?: Context];

/** Names, units, help texts, labels, buckets and initial zeros are those of the descriptions. */
export class Instruments<Implied extends string = never> {
  readonly #meter: Meter;
  readonly #implied: readonly Implied[];
  readonly #observations: (() => void)[] = [];

  /** @param implied labels that are added elsewhere, for example the id of the component that counts. */
  constructor(meter: Meter, implied: readonly Implied[]) {
    this.#meter = meter;
    this.#implied = implied;
  }

  counter<const M extends CounterMetric>(metric: M): CounterOf<M, Implied> {
    const instrument = this.#meter.createCounter(metric.name, optionsOf(metric));
    const attributesOf = attributesFrom(metric);
    const startAtZero = (labels: object): void => {
      for (const all of combinations(labels, metric.startsAtZero ?? {})) instrument.add(0, attributesOf(all));
    };
    if (this.#hasAllZeros(metric)) startAtZero({});
    return { startAtZero, add: (value, ...[labels, context]) => instrument.add(value, attributesOf(labels), context) };
  }

  gauge<const M extends GaugeMetric>(metric: M): RecorderOf<M, Implied> {
    const instrument = this.#meter.createGauge(metric.name, optionsOf(metric));
    const attributesOf = attributesFrom(metric);
    return { record: (value, ...[labels, context]) => instrument.record(value, attributesOf(labels), context) };
  }

  histogram<const M extends HistogramMetric>(metric: M): RecorderOf<M, Implied> {
    const advice = { explicitBucketBoundaries: [...metric.buckets] };
    const instrument = this.#meter.createHistogram(metric.name, { ...optionsOf(metric), advice });
    const attributesOf = attributesFrom(metric);
    return { record: (value, ...[labels, context]) => instrument.record(value, attributesOf(labels), context) };
  }

  /** Calls `read` each time that metrics are collected. */
  observe<const M extends CounterMetric | GaugeMetric>(metric: M, read: (observe: Observe<M, Implied>) => void): void {
    const attributesOf = attributesFrom(metric);
    const instrument =
      metric.kind === 'counter'
        ? this.#meter.createObservableCounter(metric.name, optionsOf(metric))
        : this.#meter.createObservableGauge(metric.name, optionsOf(metric));
    const callback: ObservableCallback = (result) =>
      read((value, ...[labels]) => result.observe(value, attributesOf(labels)));
    instrument.addCallback(callback);
    this.#observations.push(() => instrument.removeCallback(callback));
  }

  /** Ends every `observe`. */
  stopObserving(): void {
    for (const stop of this.#observations.splice(0)) stop();
  }

  /** True if the description alone defines which series start at zero. */
  #hasAllZeros({ startsAtZero, labels }: CounterMetric): boolean {
    const implied: readonly string[] = this.#implied;
    return (
      startsAtZero !== undefined &&
      Object.keys(labels).every((label) => implied.includes(label) || Object.hasOwn(startsAtZero, label))
    );
  }
}

function optionsOf({ unit, description }: Metric): MetricOptions {
  return { unit, description };
}

/**
 * Copies the labels of the description and no other property, each within its bounds: callers may pass an object that
 * has more properties, and the SDK keeps the object.
 */
function attributesFrom(metric: Metric): (labels: object | undefined) => Attributes {
  const bounds = Object.entries(metric.labels).map(
    ([key, label]) => [key, metric.attributes?.[key] ?? key, boundedLabel(label)] as const,
  );
  return (labels = {}) => {
    const values = labels as Readonly<Record<string, string | undefined>>;
    const attributes: Attributes = {};
    for (const [key, name, bound] of bounds) {
      const value = values[key];
      if (value !== undefined) attributes[name] = bound(value);
    }
    return attributes;
  };
}

/** `labels` with every combination of the values of `others`. */
function combinations(labels: object, others: Readonly<Record<string, readonly string[]>>): readonly object[] {
  return Object.entries(others).reduce<readonly object[]>(
    (all, [key, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))),
    [labels],
  );
}

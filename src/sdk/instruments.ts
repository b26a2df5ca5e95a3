/** Instruments whose names, units, buckets and labels are the catalogue's. */
import { metrics, type Attributes, type Context, type Counter, type Histogram, type Meter } from '@opentelemetry/api';
import type { CounterMetric, HistogramMetric, LabelValues, Metric } from '../metrics/metric.ts';
import { boundedLabel, type BoundedLabel } from './bounded-label.ts';

export const INSTRUMENTATION_SCOPE = 'siphon-otel';

/** Adds one to the series of these labels. */
export type Count<M extends Metric> = (labels: LabelValues<M>) => void;

/** Records a value in the unit of the metric; one that is no finite number >= 0 is left out. */
export type Record<M extends Metric> = (labels: LabelValues<M>, value: number, context?: Context) => void;

export function counter<M extends CounterMetric>(metric: M): Count<M> {
  const attributesOf = attributesFrom(metric);
  const instrument = onCurrentProvider<Counter>((meter) => meter.createCounter(metric.name, optionsOf(metric)));
  return (labels) => instrument().add(1, attributesOf(labels));
}

export function histogram<M extends HistogramMetric>(metric: M): Record<M> {
  const attributesOf = attributesFrom(metric);
  const advice = { explicitBucketBoundaries: [...metric.buckets] };
  const instrument = onCurrentProvider<Histogram>((meter) =>
    meter.createHistogram(metric.name, { ...optionsOf(metric), advice }),
  );
  return (labels, value, context) => {
    if (Number.isFinite(value) && value >= 0) instrument().record(value, attributesOf(labels), context);
  };
}

export function optionsOf({ unit, description }: Metric): { unit: string; description: string } {
  return { unit, description };
}

/**
 * The metrics API has no proxy: a meter that was asked for before an SDK is registered stays without effect. So the
 * instrument is made at its first use and again when the provider has changed.
 */
function onCurrentProvider<Instrument>(create: (meter: Meter) => Instrument): () => Instrument {
  let provider = metrics.getMeterProvider();
  let instrument: Instrument | undefined;
  return () => {
    const current = metrics.getMeterProvider();
    if (instrument === undefined || current !== provider) {
      provider = current;
      instrument = create(current.getMeter(INSTRUMENTATION_SCOPE));
    }
    return instrument;
  };
}

/**
 * Copies the labels that the catalogue names and no other property, each within its bounds: a caller may hand over an
 * object with more in it, and the SDK keeps the object.
 */
function attributesFrom<M extends Metric>(metric: M): (labels: LabelValues<M>) => Attributes {
  const bounded = Object.entries(metric.labels).map(([key, label]): [string, BoundedLabel] => [
    key,
    boundedLabel(label),
  ]);
  return (labels) => {
    const values = labels as Readonly<{ [key: string]: string }>;
    const attributes: Attributes = {};
    for (const [key, label] of bounded) {
      const value = values[key];
      if (value !== undefined) attributes[key] = label.bound(value);
    }
    return attributes;
  };
}

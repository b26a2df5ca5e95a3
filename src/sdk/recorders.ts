/** Records what descriptions ask for, in the SDK that the process has at that moment; without an SDK, nowhere. */
import { metrics, type Context } from '@opentelemetry/api';
import { Instruments } from '../metrics/instruments.ts';
import type { CounterMetric, GaugeMetric, HistogramMetric, LabelValues, Metric } from '../metrics/metric.ts';

export const INSTRUMENTATION_SCOPE = 'siphon-otel';

/** Adds to the series of these labels; 1 if no value is given. */
export type Count<M extends CounterMetric> = (labels: LabelValues<M>, value?: number) => void;

/** Records a value in the unit of the metric. */
export type Record<M extends GaugeMetric | HistogramMetric> = (
  labels: LabelValues<M>,
  value: number,
  context?: Context,
) => void;

export type RecorderOf<M extends Metric> = M extends CounterMetric
  ? Count<M>
  : M extends GaugeMetric | HistogramMetric
    ? Record<M>
    : never;

/** Skips values that are not finite. Counters and histograms also skip negative values, which the SDK does not accept. */
export function recorder<const M extends Metric>(metric: M): RecorderOf<M> {
  return recorderOf(metric) as RecorderOf<M>;
}

type AnyRecorder = (labels: Readonly<{ [label: string]: string }>, value?: number, context?: Context) => void;

function recorderOf(metric: Metric): AnyRecorder {
  if (metric.kind === 'counter') {
    const instrument = onCurrentProvider((instruments) => instruments.counter(metric));
    return (labels, value = 1) => {
      if (Number.isFinite(value) && value >= 0) instrument().add(value, labels);
    };
  }
  const minimum = metric.kind === 'histogram' ? 0 : -Infinity;
  const instrument = onCurrentProvider((instruments) =>
    metric.kind === 'histogram' ? instruments.histogram(metric) : instruments.gauge(metric),
  );
  return (labels, value = NaN, ...[context]) => {
    if (Number.isFinite(value) && value >= minimum) instrument().record(value, labels, context);
  };
}

/**
 * The metrics API has no proxy: a meter that is requested before an SDK is registered never records anything. So the
 * instrument is created at its first use, and again when the provider has changed.
 */
function onCurrentProvider<Instrument>(create: (instruments: Instruments) => Instrument): () => Instrument {
  let provider = metrics.getMeterProvider();
  let instrument: Instrument | undefined;
  return () => {
    const current = metrics.getMeterProvider();
    if (instrument === undefined || current !== provider) {
      provider = current;
      instrument = create(new Instruments(current.getMeter(INSTRUMENTATION_SCOPE), []));
    }
    return instrument;
  };
}

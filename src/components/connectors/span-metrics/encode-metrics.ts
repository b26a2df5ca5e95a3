import { fieldNumbers, temporalities } from '../../../engine/otlp/schema.ts';
import { WireWriter } from '../../../engine/otlp/wire-writer.ts';
import type { Metrics } from './metrics.ts';
import type { ResourceMetrics } from './resource-metrics.ts';
import type { Series, SeriesTable } from './series.ts';

const REQUEST = fieldNumbers('ExportMetricsServiceRequest');
const RESOURCE_METRICS = fieldNumbers('ResourceMetrics');
const SCOPE_METRICS = fieldNumbers('ScopeMetrics');
const SCOPE = fieldNumbers('InstrumentationScope');
const METRIC = fieldNumbers('Metric');
const SUM = fieldNumbers('Sum');
const HISTOGRAM = fieldNumbers('Histogram');
const NUMBER_POINT = fieldNumbers('NumberDataPoint');
const HISTOGRAM_POINT = fieldNumbers('HistogramDataPoint');
const EXEMPLAR = fieldNumbers('Exemplar');
/** The stock connector's. */
const SCOPE_NAME = 'spanmetricsconnector';

/** A request with all series of one resource. */
export function encodeMetrics(resource: ResourceMetrics, metrics: Metrics, timeNs: bigint): Uint8Array {
  return new MetricsEncoder(metrics, timeNs).encode(resource);
}

class MetricsEncoder {
  readonly #writer = new WireWriter(16_384);
  readonly #metrics: Metrics;
  readonly #timeNs: bigint;

  constructor(metrics: Metrics, timeNs: bigint) {
    this.#metrics = metrics;
    this.#timeNs = timeNs;
  }

  encode({ encoded, calls, duration, events }: ResourceMetrics): Uint8Array {
    const writer = this.#writer;
    const { names, hasDuration, hasEvents } = this.#metrics;
    writer.messageField(REQUEST.resource_metrics, () => {
      for (const resource of encoded) writer.bytesField(RESOURCE_METRICS.resource, resource);
      writer.messageField(RESOURCE_METRICS.scope_metrics, () => {
        writer.messageField(SCOPE_METRICS.scope, () => writer.stringField(SCOPE.name, SCOPE_NAME));
        this.#sum(names.calls, calls);
        if (hasDuration) this.#histogram(duration);
        if (hasEvents) this.#sum(names.events, events);
      });
    });
    return writer.detach();
  }

  #sum(name: string, series: SeriesTable): void {
    const writer = this.#writer;
    writer.messageField(SCOPE_METRICS.metrics, () => {
      writer.stringField(METRIC.name, name);
      writer.messageField(METRIC.sum, () => {
        for (const one of series.all()) writer.messageField(SUM.data_points, () => this.#numberPoint(one));
        writer.varintField(SUM.aggregation_temporality, temporalities.cumulative);
        writer.boolField(SUM.is_monotonic, true);
      });
    });
  }

  #histogram(series: SeriesTable): void {
    const writer = this.#writer;
    writer.messageField(SCOPE_METRICS.metrics, () => {
      writer.stringField(METRIC.name, this.#metrics.names.duration);
      writer.stringField(METRIC.unit, this.#metrics.unit);
      writer.messageField(METRIC.histogram, () => {
        for (const one of series.all()) writer.messageField(HISTOGRAM.data_points, () => this.#histogramPoint(one));
        writer.varintField(HISTOGRAM.aggregation_temporality, temporalities.cumulative);
      });
    });
  }

  #numberPoint(series: Series): void {
    const writer = this.#writer;
    for (const attribute of series.attributes) writer.bytesField(NUMBER_POINT.attributes, attribute);
    this.#times(series);
    writer.fixed64Field(NUMBER_POINT.as_int, BigInt(series.count));
    this.#exemplars(NUMBER_POINT.exemplars, series);
  }

  #histogramPoint(series: Series): void {
    const writer = this.#writer;
    for (const attribute of series.attributes) writer.bytesField(HISTOGRAM_POINT.attributes, attribute);
    this.#times(series);
    writer.fixed64Field(HISTOGRAM_POINT.count, BigInt(series.count));
    writer.doubleField(HISTOGRAM_POINT.sum, series.sum);
    writer.packedFixed64Field(HISTOGRAM_POINT.bucket_counts, Array.from(series.buckets, BigInt));
    writer.packedDoubleField(HISTOGRAM_POINT.explicit_bounds, [...this.#metrics.bounds]);
    this.#exemplars(HISTOGRAM_POINT.exemplars, series);
  }

  /** The two fields have the same numbers in points of every type. */
  #times({ startNs }: Series): void {
    this.#writer.fixed64Field(NUMBER_POINT.start_time_unix_nano, startNs);
    this.#writer.fixed64Field(NUMBER_POINT.time_unix_nano, this.#timeNs);
  }

  #exemplars(field: number, { exemplars }: Series): void {
    const writer = this.#writer;
    const { maxExemplars = 0 } = this.#metrics;
    for (const { value, timeNs, traceId, spanId } of exemplars?.all(maxExemplars) ?? []) {
      writer.messageField(field, () => {
        writer.fixed64Field(EXEMPLAR.time_unix_nano, timeNs);
        writer.doubleField(EXEMPLAR.as_double, value);
        writer.bytesField(EXEMPLAR.span_id, spanId);
        writer.bytesField(EXEMPLAR.trace_id, traceId);
      });
    }
  }
}

import { encodeRequest, nanoseconds, writeAttributes, type Attributes, type Origin } from './request-writer.ts';
import { fieldNumbers, temporalities } from './schema.ts';
import type { WireWriter } from './wire-writer.ts';

export type { Attributes } from './request-writer.ts';

interface PointOf<Value> {
  readonly attributes: Attributes;
  /** Undefined: the series has no value any more (NoRecordedValue), and receivers remove it. */
  readonly value: Value | undefined;
  /** Start of the count. Undefined if unknown, and for gauges. */
  readonly startUnixMs?: number | undefined;
  /** The same with nanoseconds; takes precedence. */
  readonly startUnixNano?: bigint | undefined;
  /** Time of the measurement; by default that of the request. */
  readonly timeUnixMs?: number | undefined;
  /** The same with nanoseconds; takes precedence. */
  readonly timeUnixNano?: bigint | undefined;
}

/** A `bigint` is written as an integer, a `number` as a double. */
export type NumberPoint = PointOf<number | bigint>;

/** The observations of one series since its start. */
export interface BucketCounts {
  readonly count: number;
  readonly sum: number;
  /** One for each bound, and one for the values above all bounds. */
  readonly bucketCounts: readonly number[];
}

export type HistogramPoint = PointOf<BucketCounts>;
export type Temporality = keyof typeof temporalities;

interface Described {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
}

export interface Gauge extends Described {
  readonly kind: 'gauge';
  readonly points: readonly NumberPoint[];
}

export interface Sum extends Described {
  readonly kind: 'sum';
  readonly monotonic: boolean;
  readonly temporality: Temporality;
  readonly points: readonly NumberPoint[];
}

/** A cumulative histogram with explicit bounds. */
export interface Histogram extends Described {
  readonly kind: 'histogram';
  /** Upper bounds, ascending, without +Inf. */
  readonly bounds: readonly number[];
  readonly points: readonly HistogramPoint[];
}

export type MetricData = Gauge | Sum | Histogram;

export interface MetricsRequest extends Origin {
  readonly timeUnixMs: number;
  readonly metrics: readonly MetricData[];
}

const NO_RECORDED_VALUE = 1;
const METRIC = fieldNumbers('Metric');
const GAUGE = fieldNumbers('Gauge');
const SUM = fieldNumbers('Sum');
const HISTOGRAM = fieldNumbers('Histogram');
const NUMBER_POINT = fieldNumbers('NumberDataPoint');
const HISTOGRAM_POINT = fieldNumbers('HistogramDataPoint');

/**
 * The bytes of an `ExportMetricsServiceRequest` with one resource and one scope.
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
 */
export function encodeMetricsRequest(request: MetricsRequest): Uint8Array {
  return encodeRequest('metrics', request, request.metrics, (writer, metric) =>
    writeMetric(writer, metric, request.timeUnixMs),
  );
}

function writeMetric(writer: WireWriter, metric: MetricData, timeUnixMs: number): void {
  writer.stringField(METRIC.name, metric.name);
  writer.stringField(METRIC.description, metric.description);
  writer.stringField(METRIC.unit, metric.unit);
  switch (metric.kind) {
    case 'gauge':
      writer.messageField(METRIC.gauge, () => writeNumbers(writer, GAUGE.data_points, metric.points, timeUnixMs));
      break;
    case 'sum':
      writer.messageField(METRIC.sum, () => {
        writeNumbers(writer, SUM.data_points, metric.points, timeUnixMs);
        writer.varintField(SUM.aggregation_temporality, temporalities[metric.temporality]);
        writer.boolField(SUM.is_monotonic, metric.monotonic);
      });
      break;
    case 'histogram':
      writer.messageField(METRIC.histogram, () => {
        for (const point of metric.points)
          writer.messageField(HISTOGRAM.data_points, () =>
            writeHistogramPoint(writer, point, metric.bounds, timeUnixMs),
          );
        writer.varintField(HISTOGRAM.aggregation_temporality, temporalities.cumulative);
      });
      break;
  }
}

function writeNumbers(writer: WireWriter, field: number, points: readonly NumberPoint[], timeUnixMs: number): void {
  for (const point of points) {
    writer.messageField(field, () => {
      writeAttributes(writer, NUMBER_POINT.attributes, point.attributes);
      writeTimes(writer, point, timeUnixMs);
      if (point.value === undefined) writer.varintField(NUMBER_POINT.flags, NO_RECORDED_VALUE);
      else if (typeof point.value === 'bigint') writer.fixed64Field(NUMBER_POINT.as_int, point.value);
      else writer.doubleField(NUMBER_POINT.as_double, point.value);
    });
  }
}

function writeHistogramPoint(
  writer: WireWriter,
  point: HistogramPoint,
  bounds: readonly number[],
  timeUnixMs: number,
): void {
  writeAttributes(writer, HISTOGRAM_POINT.attributes, point.attributes);
  writeTimes(writer, point, timeUnixMs);
  if (point.value === undefined) return writer.varintField(HISTOGRAM_POINT.flags, NO_RECORDED_VALUE);
  writer.fixed64Field(HISTOGRAM_POINT.count, BigInt(point.value.count));
  writer.doubleField(HISTOGRAM_POINT.sum, point.value.sum);
  writer.packedFixed64Field(HISTOGRAM_POINT.bucket_counts, point.value.bucketCounts.map(BigInt));
  writer.packedDoubleField(HISTOGRAM_POINT.explicit_bounds, bounds);
}

/** The two fields have the same numbers in points of every type. */
function writeTimes(writer: WireWriter, point: PointOf<unknown>, timeUnixMs: number): void {
  const start = point.startUnixNano ?? (point.startUnixMs === undefined ? undefined : nanoseconds(point.startUnixMs));
  if (start !== undefined) writer.fixed64Field(NUMBER_POINT.start_time_unix_nano, start);
  writer.fixed64Field(NUMBER_POINT.time_unix_nano, point.timeUnixNano ?? nanoseconds(point.timeUnixMs ?? timeUnixMs));
}

import { encodeRequest, nanoseconds, writeAttributes, type Attributes, type Origin } from './request-writer.ts';
import type { WireWriter } from './wire-writer.ts';

export type { Attributes } from './request-writer.ts';

interface PointOf<Value> {
  readonly attributes: Attributes;
  /** Undefined: the series has no value any more (NoRecordedValue), and whoever keeps it shall forget it. */
  readonly value: Value | undefined;
  /** When counting began. Undefined: unknown, or the point is of a gauge. */
  readonly startUnixMs?: number | undefined;
  /** The same where it is known to the nanosecond; wins. */
  readonly startUnixNano?: bigint | undefined;
  /** When it was measured, if not at the time of the request. */
  readonly timeUnixMs?: number | undefined;
  /** The same where it is known to the nanosecond; wins. */
  readonly timeUnixNano?: bigint | undefined;
}

/** A `bigint` is written as an integer, a `number` as a double. */
export type NumberPoint = PointOf<number | bigint>;

/** Of one series, since its start. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  /** As many as there are bounds, and one more for what is above them all. */
  readonly bucketCounts: readonly number[];
}

export type HistogramPoint = PointOf<Distribution>;
export type Temporality = 'cumulative' | 'delta';

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

/** With explicit bounds, and cumulative. */
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
const TEMPORALITY: Readonly<Record<Temporality, number>> = { delta: 1, cumulative: 2 };

/**
 * The bytes of an `ExportMetricsServiceRequest` with one resource and one scope.
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
 */
export function encodeMetricsRequest(request: MetricsRequest): Uint8Array {
  return encodeRequest(request, request.metrics, (writer, metric) => writeMetric(writer, metric, request.timeUnixMs));
}

function writeMetric(writer: WireWriter, metric: MetricData, timeUnixMs: number): void {
  writer.stringField(1, metric.name);
  writer.stringField(2, metric.description);
  writer.stringField(3, metric.unit);
  switch (metric.kind) {
    case 'gauge':
      writer.messageField(5, () => writeNumbers(writer, metric.points, timeUnixMs));
      break;
    case 'sum':
      writer.messageField(7, () => {
        writeNumbers(writer, metric.points, timeUnixMs);
        writer.varintField(2, TEMPORALITY[metric.temporality]);
        writer.boolField(3, metric.monotonic);
      });
      break;
    case 'histogram':
      writer.messageField(9, () => {
        for (const point of metric.points)
          writer.messageField(1, () => writeDistribution(writer, point, metric.bounds, timeUnixMs));
        writer.varintField(2, TEMPORALITY.cumulative);
      });
      break;
  }
}

function writeNumbers(writer: WireWriter, points: readonly NumberPoint[], timeUnixMs: number): void {
  for (const point of points) {
    writer.messageField(1, () => {
      writeAttributes(writer, 7, point.attributes);
      writeTimes(writer, point, timeUnixMs);
      if (point.value === undefined) writer.varintField(8, NO_RECORDED_VALUE);
      else if (typeof point.value === 'bigint') writer.fixed64Field(6, point.value);
      else writer.doubleField(4, point.value);
    });
  }
}

function writeDistribution(
  writer: WireWriter,
  point: HistogramPoint,
  bounds: readonly number[],
  timeUnixMs: number,
): void {
  writeAttributes(writer, 9, point.attributes);
  writeTimes(writer, point, timeUnixMs);
  if (point.value === undefined) return writer.varintField(10, NO_RECORDED_VALUE);
  writer.fixed64Field(4, BigInt(point.value.count));
  writer.doubleField(5, point.value.sum);
  writer.packedFixed64Field(6, point.value.bucketCounts.map(BigInt));
  writer.packedDoubleField(7, bounds);
}

function writeTimes(writer: WireWriter, point: PointOf<unknown>, timeUnixMs: number): void {
  const start = point.startUnixNano ?? (point.startUnixMs === undefined ? undefined : nanoseconds(point.startUnixMs));
  if (start !== undefined) writer.fixed64Field(2, start);
  writer.fixed64Field(3, point.timeUnixNano ?? nanoseconds(point.timeUnixMs ?? timeUnixMs));
}

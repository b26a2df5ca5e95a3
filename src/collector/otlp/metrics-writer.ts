import { writeKeyValue } from './any-value.ts';
import { WireWriter } from './wire-writer.ts';

export type Attributes = Readonly<Record<string, string>>;

export interface GaugePoint {
  readonly attributes: Attributes;
  /** Undefined: the series has no value any more (NoRecordedValue), and whoever keeps it shall forget it. */
  readonly value: number | undefined;
}

export interface Gauge {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly points: readonly GaugePoint[];
}

export interface MetricsRequest {
  /** Resource attributes. */
  readonly resource: Attributes;
  readonly scope: { readonly name: string; readonly version: string };
  readonly timeUnixMs: number;
  readonly gauges: readonly Gauge[];
}

const NO_RECORDED_VALUE = 1;

/**
 * The bytes of an `ExportMetricsServiceRequest` with one resource and one scope.
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
 */
export function encodeMetricsRequest(request: MetricsRequest): Uint8Array {
  const writer = new WireWriter();
  const time = BigInt(Math.round(request.timeUnixMs)) * 1_000_000n;
  writer.messageField(1, () => {
    writer.messageField(1, () => writeAttributes(writer, 1, request.resource));
    writer.messageField(2, () => {
      writer.messageField(1, () => {
        writer.stringField(1, request.scope.name);
        writer.stringField(2, request.scope.version);
      });
      for (const gauge of request.gauges) writer.messageField(2, () => writeGauge(writer, gauge, time));
    });
  });
  return writer.finish();
}

function writeGauge(writer: WireWriter, gauge: Gauge, time: bigint): void {
  writer.stringField(1, gauge.name);
  writer.stringField(2, gauge.description);
  writer.stringField(3, gauge.unit);
  writer.messageField(5, () => {
    for (const point of gauge.points) writer.messageField(1, () => writePoint(writer, point, time));
  });
}

function writePoint(writer: WireWriter, point: GaugePoint, time: bigint): void {
  writeAttributes(writer, 7, point.attributes);
  writer.fixed64Field(3, time);
  if (point.value === undefined) writer.varintField(8, NO_RECORDED_VALUE);
  else writer.doubleField(4, point.value);
}

function writeAttributes(writer: WireWriter, field: number, attributes: Attributes): void {
  for (const [key, value] of Object.entries(attributes)) writeKeyValue(writer, field, key, value);
}

import { encodeRequest, nanoseconds, writeAttributes, type Attributes, type Origin } from './request-writer.ts';

export interface LogRecord {
  readonly body: string;
  readonly attributes: Attributes;
}

export interface LogsRequest extends Origin {
  readonly observedUnixMs: number;
  readonly records: readonly LogRecord[];
}

/**
 * The bytes of an `ExportLogsServiceRequest`. When the events happened and how severe they are is not known.
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto
 */
export function encodeLogsRequest({ records, observedUnixMs, ...origin }: LogsRequest): Uint8Array {
  return encodeRequest(origin, records, (writer, { body, attributes }) => {
    writer.messageField(5, () => writer.stringField(1, body));
    writeAttributes(writer, 6, attributes);
    writer.fixed64Field(11, nanoseconds(observedUnixMs));
  });
}

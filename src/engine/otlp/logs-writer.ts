import { encodeRequest, nanoseconds, writeAttributes, type Attributes, type Origin } from './request-writer.ts';
import { fieldNumbers } from './schema.ts';

const ANY_VALUE = fieldNumbers('AnyValue');
const LOG_RECORD = fieldNumbers('LogRecord');

export interface LogRecord {
  readonly body: string;
  readonly attributes: Attributes;
}

export interface LogsRequest extends Origin {
  readonly observedUnixMs: number;
  readonly records: readonly LogRecord[];
}

/**
 * The bytes of an `ExportLogsServiceRequest`. Its records have no event time and no severity.
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto
 */
export function encodeLogsRequest({ records, observedUnixMs, ...origin }: LogsRequest): Uint8Array {
  return encodeRequest('logs', origin, records, (writer, { body, attributes }) => {
    writer.messageField(LOG_RECORD.body, () => writer.stringField(ANY_VALUE.string_value, body));
    writeAttributes(writer, LOG_RECORD.attributes, attributes);
    writer.fixed64Field(LOG_RECORD.observed_time_unix_nano, nanoseconds(observedUnixMs));
  });
}

import type { AnyValue } from './any-value.ts';
import { encodeRequest, nanoseconds, writeAttributes, type Origin } from './request-writer.ts';
import { fieldNumbers } from './schema.ts';

const ANY_VALUE = fieldNumbers('AnyValue');
const LOG_RECORD = fieldNumbers('LogRecord');

export interface LogRecord {
  readonly body: string;
  readonly attributes: Readonly<Record<string, AnyValue>>;
  /** When it happened; absent: only when it was observed is known. */
  readonly unixMs?: number;
  readonly severity?: { readonly number: number; readonly text: string };
  readonly eventName?: string;
}

export interface LogsRequest extends Origin {
  readonly observedUnixMs: number;
  readonly records: readonly LogRecord[];
}

/**
 * The bytes of an `ExportLogsServiceRequest`.
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto
 */
export function encodeLogsRequest({ records, observedUnixMs, ...origin }: LogsRequest): Uint8Array {
  return encodeRequest('logs', origin, records, (writer, { body, attributes, unixMs, severity, eventName }) => {
    if (unixMs !== undefined) writer.fixed64Field(LOG_RECORD.time_unix_nano, nanoseconds(unixMs));
    if (severity !== undefined) {
      writer.varintField(LOG_RECORD.severity_number, severity.number);
      writer.stringField(LOG_RECORD.severity_text, severity.text);
    }
    writer.messageField(LOG_RECORD.body, () => writer.stringField(ANY_VALUE.string_value, body));
    writeAttributes(writer, LOG_RECORD.attributes, attributes);
    writer.fixed64Field(LOG_RECORD.observed_time_unix_nano, nanoseconds(observedUnixMs));
    if (eventName !== undefined) writer.stringField(LOG_RECORD.event_name, eventName);
  });
}

import type { TelemetryBatch } from '../../../src/engine/component.ts';
import { writeAnyValue, writeKeyValue } from '../../../src/engine/otlp/any-value.ts';
import { WireWriter } from '../../../src/engine/otlp/wire-writer.ts';

export interface LogDraft {
  readonly body: string;
  readonly traceId?: string;
  readonly spanId?: string;
  /** https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber */
  readonly severity?: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  readonly timeUnixNano?: bigint;
  readonly eventName?: string;
}

/** One request of the service `coffee` with these log records. */
export function batchOfLogs(records: readonly LogDraft[], service = 'coffee'): TelemetryBatch {
  const writer = new WireWriter();
  writer.messageField(1, () => {
    writer.messageField(1, () => writeKeyValue(writer, 1, 'service.name', service));
    writer.messageField(2, () => {
      for (const record of records) writer.messageField(2, () => writeRecord(writer, record));
    });
  });
  const chunk = writer.finish();
  return { signal: 'logs', chunks: [chunk], itemCount: records.length, sizeBytes: chunk.length };
}

function writeRecord(writer: WireWriter, { body, traceId, spanId, severity = 9, ...draft }: LogDraft): void {
  writer.fixed64Field(1, draft.timeUnixNano ?? BigInt(Date.now()) * 1_000_000n);
  writer.varintField(2, severity);
  writeAnyValue(writer, 5, body);
  for (const [key, value] of Object.entries(draft.attributes ?? {})) writeKeyValue(writer, 6, key, value);
  if (traceId !== undefined) writer.bytesField(9, Buffer.from(traceId, 'hex'));
  if (spanId !== undefined) writer.bytesField(10, Buffer.from(spanId, 'hex'));
  if (draft.eventName !== undefined) writer.stringField(12, draft.eventName);
}

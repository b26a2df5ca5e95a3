import { readAnyValue, type AnyValue, type KeyValueMap } from './any-value.ts';
import type { Item } from './items.ts';
import { fieldTags } from './schema.ts';
import { readHex, weightOf } from './span-reader.ts';
import { WireReader } from './wire-reader.ts';

/** https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto */
export interface ReceivedLogRecord {
  /** When it happened; when it was observed, if the sender does not report that. 0: neither is known. */
  readonly timeUnixNano: bigint;
  /** 1 (trace) to 24 (fatal); 0 if the sender does not report it. */
  readonly severityNumber: number;
  readonly body: AnyValue;
  /** 32 lower-case hexadecimal digits; empty if the record belongs to no trace. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits; empty if the record belongs to no span. */
  readonly spanId: string;
  readonly attributes: KeyValueMap;
  /** Shared by all records of one resource. */
  readonly resource: KeyValueMap;
  /** An estimate of the memory that it takes, with its whole resource. */
  readonly heapBytes: number;
}

const LOG_RECORD = fieldTags('LogRecord');

/** Decodes an item of the type `LogRecord`. The record does not refer to the buffer of its request. */
export function readLogRecord(item: Item): ReceivedLogRecord {
  const { bytes, attributes, resource } = item;
  let [timeUnixNano, observedTimeUnixNano, severityNumber, traceId, spanId] = [0n, 0n, 0, '', ''];
  let body: AnyValue = null;
  for (const reader = new WireReader(bytes); !reader.done;) {
    const tag = reader.tag();
    if (tag === LOG_RECORD.time_unix_nano) timeUnixNano = reader.fixed64();
    else if (tag === LOG_RECORD.observed_time_unix_nano) observedTimeUnixNano = reader.fixed64();
    else if (tag === LOG_RECORD.severity_number) severityNumber = reader.varint();
    else if (tag === LOG_RECORD.trace_id) traceId = readId(reader);
    else if (tag === LOG_RECORD.span_id) spanId = readId(reader);
    else if (tag === LOG_RECORD.body) body = readAnyValue(reader.message(), body);
    else reader.skip(tag);
  }
  return {
    timeUnixNano: timeUnixNano === 0n ? observedTimeUnixNano : timeUnixNano,
    severityNumber,
    body,
    traceId,
    spanId,
    attributes,
    resource,
    heapBytes:
      bytes.length +
      [attributes, body, resource].reduce((sum: number, value) => sum + weightOf(value), textBytes(resource)),
  };
}

function textBytes(resource: KeyValueMap): number {
  let bytes = 0;
  for (const [name, value] of resource) bytes += name.length + (typeof value === 'string' ? value.length : 0);
  return bytes;
}

/** Some senders write an absent id as zeros. */
function readId(reader: WireReader): string {
  const id = readHex(reader);
  return /^0*$/.test(id) ? '' : id;
}

/** Adds to the OTLP request of the SDK's serializer what it does not write: exemplars, and that a series has ended. */
import { diag } from '@opentelemetry/api';
import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Exemplar } from './exemplars/kept-exemplars.ts';

/** The SDK's serializer ignores these fields of a point. */
export interface PointAdditions {
  readonly exemplars?: readonly Exemplar[];
  /** The series of a gauge or a sum has no value from then on: the flag `NoRecordedValue`. */
  readonly hasEnded?: true;
}

export const MetricsSerializer: typeof ProtobufMetricsSerializer = {
  serializeRequest: (metrics) => {
    const request = ProtobufMetricsSerializer.serializeRequest(metrics);
    try {
      return request && completed(request, pointsOf(metrics));
    } catch (error) {
      diag.warn('siphon: an export has no exemplars', error);
      return request;
    }
  },
  deserializeResponse: (response) => ProtobufMetricsSerializer.deserializeResponse(response),
};

/** In the order of the request. */
function pointsOf({ scopeMetrics }: ResourceMetrics): readonly PointAdditions[] {
  return scopeMetrics.flatMap(({ metrics }) => metrics.flatMap(({ dataPoints }) => dataPoints as PointAdditions[]));
}

/** The fields that lead to the points: of the request, ResourceMetrics, ScopeMetrics, Metric, and its data. */
const PATH: readonly (readonly number[])[] = [[1], [2], [2], [5, 7, 9, 10], [1]];
/** The field of the exemplars in a point, by the field of its kind in Metric. */
const EXEMPLARS_IN = new Map([
  [5, 5],
  [7, 5],
  [9, 8],
  [10, 11],
]);
const BYTES = 2;
/** `flags` in the point of a gauge or a sum: `NoRecordedValue`. */
const ENDED = Uint8Array.from([8 << 3, 1]);

function completed(request: Uint8Array, points: readonly PointAdditions[]): Uint8Array {
  if (points.every(({ exemplars = [], hasEnded }) => exemplars.length === 0 && hasEnded === undefined)) return request;
  const next = points.values();
  return Buffer.concat(copied(request, 0, 0, () => next.next().value ?? {}));
}

/** Copies a message. Points get their additions; the lengths of all messages around them are written again. */
function copied(message: Uint8Array, depth: number, kind: number, next: () => PointAdditions): Uint8Array[] {
  const fields = PATH[depth];
  if (fields === undefined) {
    const { exemplars = [], hasEnded } = next();
    const field = EXEMPLARS_IN.get(kind) ?? 0;
    const added = exemplars.flatMap((exemplar) => bytesField(field, [encoded(exemplar)]));
    return [message, ...added, ...(hasEnded === undefined ? [] : [ENDED])];
  }
  const parts: Uint8Array[] = [];
  for (let at = 0; at < message.length;) {
    const start = at;
    const tag = readVarint(message, at);
    const [field, wireType] = [tag.value >>> 3, tag.value & 7];
    if (wireType !== BYTES) {
      at = wireType === 0 ? readVarint(message, tag.end).end : tag.end + (wireType === 1 ? 8 : 4);
      parts.push(message.subarray(start, at));
      continue;
    }
    const length = readVarint(message, tag.end);
    at = length.end + length.value;
    if (!fields.includes(field)) parts.push(message.subarray(start, at));
    else {
      const kindBelow = depth === KIND_DEPTH ? field : kind;
      parts.push(...bytesField(field, copied(message.subarray(length.end, at), depth + 1, kindBelow, next)));
    }
  }
  return parts;
}

const KIND_DEPTH = 3;

function bytesField(field: number, parts: Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [Uint8Array.from([...varint((field << 3) | BYTES), ...varint(length)]), ...parts];
}

/** `time_unix_nano`, `as_double`, `span_id` and `trace_id`. */
function encoded({ value, timeMs, span }: Exemplar): Uint8Array {
  const bytes = Buffer.alloc(46);
  bytes.writeUInt8((2 << 3) | 1, 0);
  bytes.writeBigUInt64LE(BigInt(timeMs) * 1_000_000n, 1);
  bytes.writeUInt8((3 << 3) | 1, 9);
  bytes.writeDoubleLE(value, 10);
  bytes.set([(4 << 3) | BYTES, 8], 18);
  bytes.write(span.spanId, 20, 'hex');
  bytes.set([(5 << 3) | BYTES, 16], 28);
  bytes.write(span.traceId, 30, 'hex');
  return bytes;
}

function readVarint(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let at = start, scale = 1; ; at++, scale *= 128) {
    const byte = bytes[at] as number;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end: at + 1 };
  }
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

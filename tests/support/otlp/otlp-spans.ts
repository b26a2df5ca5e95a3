import type { TelemetryBatch } from '../../../src/engine/component.ts';
import { WireWriter } from '../../../src/engine/otlp/wire-writer.ts';
import { writeKeyValue } from '../../../src/engine/otlp/any-value.ts';
import { spanKinds, type SpanKind } from '../../../src/engine/otlp/span-reader.ts';

type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanDraft {
  readonly traceId?: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  readonly kind?: SpanKind;
  readonly traceState?: string;
  readonly statusMessage?: string;
  readonly links?: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes?: Attributes;
  }[];
  readonly durationNano?: bigint;
  readonly attributes?: Attributes;
  readonly events?: readonly { readonly name: string; readonly attributes?: Attributes }[];
  readonly startTimeUnixNano?: bigint;
}

/** Sentry refuses spans that are older than 30 days. */
const RECENT = BigInt(Date.now() - 10_000) * 1_000_000n;

export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

/** A span id of 16 hexadecimal digits. */
export function spanId(number: number): string {
  return number.toString(16).padStart(16, '0');
}

/** One request of the service `coffee` with these spans. */
export function batchOfSpans(spans: readonly SpanDraft[], service = 'coffee'): TelemetryBatch {
  const writer = new WireWriter();
  writer.messageField(1, () => {
    writer.messageField(1, () => {
      writeKeyValue(writer, 1, 'service.name', service);
      writeKeyValue(writer, 1, 'telemetry.sdk.language', 'nodejs');
    });
    writer.messageField(2, () => {
      for (const span of spans) writer.messageField(2, () => writeSpan(writer, span));
    });
  });
  const chunk = writer.finish();
  return { signal: 'traces', chunks: [chunk], itemCount: spans.length, sizeBytes: chunk.length };
}

function writeSpan(writer: WireWriter, span: SpanDraft): void {
  const start = span.startTimeUnixNano ?? RECENT;
  writer.bytesField(1, Buffer.from(span.traceId ?? TRACE_ID, 'hex'));
  writer.bytesField(2, Buffer.from(span.spanId, 'hex'));
  if (span.traceState !== undefined) writer.stringField(3, span.traceState);
  if (span.parentSpanId !== undefined) writer.bytesField(4, Buffer.from(span.parentSpanId, 'hex'));
  writer.stringField(5, span.name ?? 'work');
  writer.varintField(6, spanKinds.indexOf(span.kind ?? 'internal'));
  writer.fixed64Field(7, start);
  writer.fixed64Field(8, start + (span.durationNano ?? 1_500_000n));
  writeAttributes(writer, 9, span.attributes);
  writeLinks(writer, span.links);
  const { statusMessage } = span;
  if (statusMessage !== undefined) {
    writer.messageField(15, () => {
      writer.stringField(2, statusMessage);
      writer.varintField(3, 2);
    });
  }
  for (const { name, attributes } of span.events ?? []) {
    writer.messageField(11, () => {
      writer.fixed64Field(1, start + 1_000_000n);
      writer.stringField(2, name);
      writeAttributes(writer, 3, attributes);
    });
  }
}

function writeAttributes(writer: WireWriter, field: number, attributes: Attributes = {}): void {
  for (const [key, value] of Object.entries(attributes)) writeKeyValue(writer, field, key, value);
}

function writeLinks(writer: WireWriter, links: SpanDraft['links'] = []): void {
  for (const { traceId, spanId: linked, attributes } of links) {
    writer.messageField(13, () => {
      writer.bytesField(1, Buffer.from(traceId, 'hex'));
      writer.bytesField(2, Buffer.from(linked, 'hex'));
      writeAttributes(writer, 4, attributes);
    });
  }
}

import { readKeyValue, type AnyValue, type KeyValueMap } from './any-value.ts';
import { WireReader } from './wire-reader.ts';

/** https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto */
export interface Span {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits. */
  readonly spanId: string;
  /** Undefined for a root span. */
  readonly parentSpanId: string | undefined;
  /** Whether the parent ran in another process; undefined where the sender does not say. */
  readonly parentIsRemote: boolean | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  readonly attributes: KeyValueMap;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  readonly status: SpanStatus;
  /** Shared by all spans of one resource. */
  readonly resource: KeyValueMap;
  /** The length of the span's encoded message, as a measure of the memory that it takes. */
  readonly sizeBytes: number;
}

export const spanKinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
export type SpanKind = (typeof spanKinds)[number];

export interface SpanEvent {
  readonly timeUnixNano: bigint;
  readonly name: string;
  readonly attributes: KeyValueMap;
}

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: KeyValueMap;
}

export interface SpanStatus {
  readonly code: 'unset' | 'ok' | 'error';
  readonly message: string;
}

/** The spans of one `ExportTraceServiceRequest`, in its order. Nothing of it refers to the request's bytes but attributes of the type bytes. */
export function* readSpans(request: Uint8Array): Generator<Span> {
  const reader = new WireReader(request);
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === field(1, BYTES)) yield* readResourceSpans(reader.message());
    else reader.skip(tag);
  }
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** https://opentelemetry.io/docs/specs/otel/protocol/ SpanFlags: bit 8 says that bit 9 is meant. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

function field(number: number, wireType: number): number {
  return (number << 3) | wireType;
}

function* readResourceSpans(reader: WireReader): Generator<Span> {
  // Protobuf lets the resource stand behind the spans that belong to it.
  const resource = new Map<string, AnyValue>();
  const scopes: WireReader[] = [];
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === field(1, BYTES)) readAttributes(reader.message(), resource);
    else if (tag === field(2, BYTES)) scopes.push(reader.message());
    else reader.skip(tag);
  }
  for (const scope of scopes) yield* readScopeSpans(scope, resource);
}

function* readScopeSpans(reader: WireReader, resource: KeyValueMap): Generator<Span> {
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === field(2, BYTES)) yield readSpan(reader.message(), resource);
    else reader.skip(tag);
  }
}

function readSpan(reader: WireReader, resource: KeyValueMap): Span {
  const attributes = new Map<string, AnyValue>();
  const events: SpanEvent[] = [];
  const links: SpanLink[] = [];
  const span: Writable<Span> = {
    traceId: '',
    spanId: '',
    parentSpanId: undefined,
    parentIsRemote: undefined,
    name: '',
    kind: 'unspecified',
    startTimeUnixNano: 0n,
    endTimeUnixNano: 0n,
    attributes,
    events,
    links,
    status: { code: 'unset', message: '' },
    resource,
    sizeBytes: reader.end - reader.position,
  };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === field(9, BYTES)) readKeyValue(reader.message(), attributes);
    else if (tag === field(11, BYTES)) events.push(readEvent(reader.message()));
    else if (tag === field(13, BYTES)) links.push(readLink(reader.message()));
    else readSpanField(span, tag, reader);
  }
  return span;
}

function readSpanField(span: Writable<Span>, tag: number, reader: WireReader): void {
  switch (tag) {
    case field(1, BYTES):
      span.traceId = readHex(reader);
      break;
    case field(2, BYTES):
      span.spanId = readHex(reader);
      break;
    case field(4, BYTES):
      span.parentSpanId = readParentId(reader);
      break;
    case field(5, BYTES):
      span.name = reader.string();
      break;
    case field(6, VARINT):
      span.kind = spanKinds[reader.varint()] ?? 'unspecified';
      break;
    case field(7, FIXED64):
      span.startTimeUnixNano = reader.fixed64();
      break;
    case field(8, FIXED64):
      span.endTimeUnixNano = reader.fixed64();
      break;
    case field(15, BYTES):
      span.status = readStatus(reader.message());
      break;
    case field(16, FIXED32):
      span.parentIsRemote = readIsRemote(reader.fixed32());
      break;
    default:
      reader.skip(tag);
  }
}

function readEvent(reader: WireReader): SpanEvent {
  const attributes = new Map<string, AnyValue>();
  const event: Writable<SpanEvent> = { timeUnixNano: 0n, name: '', attributes };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === field(1, FIXED64)) event.timeUnixNano = reader.fixed64();
    else if (tag === field(2, BYTES)) event.name = reader.string();
    else if (tag === field(3, BYTES)) readKeyValue(reader.message(), attributes);
    else reader.skip(tag);
  }
  return event;
}

function readLink(reader: WireReader): SpanLink {
  const attributes = new Map<string, AnyValue>();
  const link: Writable<SpanLink> = { traceId: '', spanId: '', attributes };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === field(1, BYTES)) link.traceId = readHex(reader);
    else if (tag === field(2, BYTES)) link.spanId = readHex(reader);
    else if (tag === field(4, BYTES)) readKeyValue(reader.message(), attributes);
    else reader.skip(tag);
  }
  return link;
}

const statusCodes = ['unset', 'ok', 'error'] as const;

function readStatus(reader: WireReader): SpanStatus {
  const status: Writable<SpanStatus> = { code: 'unset', message: '' };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === field(2, BYTES)) status.message = reader.string();
    else if (tag === field(3, VARINT)) status.code = statusCodes[reader.varint()] ?? 'unset';
    else reader.skip(tag);
  }
  return status;
}

/** Reads the attributes of a message that has them as field 1, as `Resource` does. */
function readAttributes(reader: WireReader, target: Map<string, AnyValue>): void {
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === field(1, BYTES)) readKeyValue(reader.message(), target);
    else reader.skip(tag);
  }
}

function readHex(reader: WireReader): string {
  const bytes = reader.bytes();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** Some senders write the absent parent as empty bytes or as zeros. */
function readParentId(reader: WireReader): string | undefined {
  const id = readHex(reader);
  return /^0*$/.test(id) ? undefined : id;
}

function readIsRemote(flags: number): boolean | undefined {
  return (flags & HAS_IS_REMOTE) === 0 ? undefined : (flags & IS_REMOTE) !== 0;
}

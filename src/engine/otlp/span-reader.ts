import { readKeyValue, type AnyValue, type KeyValueMap } from './any-value.ts';
import { fieldTags } from './schema.ts';
import { WireReader } from './wire-reader.ts';

/** https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto */
export interface Span {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits. */
  readonly spanId: string;
  /** Undefined for a root span. */
  readonly parentSpanId: string | undefined;
  /** True if the parent ran in another process; undefined if the sender does not report it. */
  readonly parentIsRemote: boolean | undefined;
  /** The W3C header `tracestate` of the span, or an empty text. */
  readonly traceState: string;
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
  /** The length of the span's encoded message. */
  readonly sizeBytes: number;
  /** An estimate of the memory that it takes. The first span of a resource includes the resource. */
  readonly heapBytes: number;
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
  /** True if the linked span was sampled; undefined if the sender does not report it. */
  readonly isSampled: boolean | undefined;
  readonly attributes: KeyValueMap;
}

export interface SpanStatus {
  readonly code: 'unset' | 'ok' | 'error';
  readonly message: string;
}

/** The spans of one `ExportTraceServiceRequest`, in its order. They do not refer to the request's buffer. */
export function* readSpans(request: Uint8Array): Generator<Span> {
  for (const span of spanSteps(request)) if (span !== undefined) yield span;
}

/** The same as `readSpans`. Yields undefined where other work may run and there is no span yet. */
export function* spanSteps(request: Uint8Array): Generator<Span | undefined> {
  for (const reader = new WireReader(request); !reader.done;) {
    const tag = reader.tag();
    if (tag === REQUEST.resource_spans) yield* readResourceSpans(reader.message());
    else reader.skip(tag);
    yield;
  }
}

/** A copy with all properties as values of its own. */
export function copyOf(span: Span): Span {
  const { traceId, spanId, parentSpanId, parentIsRemote, traceState, name, kind, resource, sizeBytes, heapBytes } =
    span;
  const { startTimeUnixNano, endTimeUnixNano, attributes, events, links, status } = span;
  return {
    traceId,
    spanId,
    parentSpanId,
    parentIsRemote,
    traceState,
    name,
    kind,
    startTimeUnixNano,
    endTimeUnixNano,
    attributes,
    events,
    links,
    status,
    resource,
    sizeBytes,
    heapBytes,
  };
}

/** The approximate memory of an object, a map entry or an element of an array. */
const OBJECT_BYTES = 100;
const STEP_FIELDS = 256;

const REQUEST = fieldTags('ExportTraceServiceRequest');
const RESOURCE_SPANS = fieldTags('ResourceSpans');
const RESOURCE = fieldTags('Resource');
const SCOPE_SPANS = fieldTags('ScopeSpans');
const SPAN = fieldTags('Span');
const EVENT = fieldTags('Event');
const LINK = fieldTags('Link');
const STATUS = fieldTags('Status');

/** `SpanFlags`: bit 9 is valid only if bit 8 is set. https://opentelemetry.io/docs/specs/otel/protocol/ */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
const IS_SAMPLED = 0x1;
const MAX_TRACE_STATE_BYTES = 8 * 1024;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

function* readResourceSpans(reader: WireReader): Generator<Span | undefined> {
  const { position } = reader;
  // Protobuf allows the resource to come after its spans.
  const resource = new Map<string, AnyValue>();
  for (let fields = 1; !reader.done; fields++) {
    const tag = reader.tag();
    if (tag === RESOURCE_SPANS.resource) readAttributes(reader.message(), resource);
    else reader.skip(tag);
    if (fields % STEP_FIELDS === 0) yield;
  }
  const owner = { resource, heapBytes: weightOf(resource) };
  reader.position = position;
  for (let fields = 1; !reader.done; fields++) {
    const tag = reader.tag();
    if (tag === RESOURCE_SPANS.scope_spans) yield* readScopeSpans(reader.message(), owner);
    else reader.skip(tag);
    if (fields % STEP_FIELDS === 0) yield;
  }
}

interface ResourceOwner {
  readonly resource: KeyValueMap;
  /** Not yet counted for a span. */
  heapBytes: number;
}

function* readScopeSpans(reader: WireReader, owner: ResourceOwner): Generator<Span | undefined> {
  for (let fields = 1; !reader.done; fields++) {
    const tag = reader.tag();
    if (tag === SCOPE_SPANS.spans) {
      yield new EncodedSpan(reader.message(), owner.resource, owner.heapBytes);
      owner.heapBytes = 0;
    } else reader.skip(tag);
    if (fields % STEP_FIELDS === 0) yield;
  }
}

/**
 * Spans wait for the rest of their trace, and most of their parts are not needed meanwhile. So these stay encoded, as a text
 * with a character for each byte: the collection of garbage copies one text instead of dozens of objects. What is read last
 * is remembered, because it is read several times then.
 */
class EncodedSpan implements Span {
  traceId = '';
  spanId = '';
  parentSpanId: string | undefined = undefined;
  parentIsRemote: boolean | undefined = undefined;
  name = '';
  kind: SpanKind = 'unspecified';
  startTimeUnixNano = 0n;
  endTimeUnixNano = 0n;
  readonly resource: KeyValueMap;
  readonly sizeBytes: number;
  readonly heapBytes: number;
  #hasEvents = false;
  #hasLinks = false;
  readonly #encoded: string;

  constructor(reader: WireReader, resource: KeyValueMap, resourceBytes: number) {
    const { buffer, position, end } = reader;
    this.#encoded = Buffer.prototype.latin1Slice.call(buffer, position, end);
    this.resource = resource;
    this.sizeBytes = end - position;
    this.heapBytes = resourceBytes + this.sizeBytes + 4 * OBJECT_BYTES;
    while (!reader.done) this.#readField(reader.tag(), reader);
  }

  get attributes(): KeyValueMap {
    return this.#details.attributes;
  }

  get events(): readonly SpanEvent[] {
    return this.#hasEvents ? this.#details.events : NO_EVENTS;
  }

  get links(): readonly SpanLink[] {
    return this.#hasLinks ? this.#details.links : NO_LINKS;
  }

  get status(): SpanStatus {
    return this.#details.status;
  }

  get traceState(): string {
    return this.#details.traceState;
  }

  get #details(): Details {
    if (latest?.span !== this) {
      const bytes = Buffer.from(this.#encoded, 'latin1');
      latest = { span: this, details: readDetails(new WireReader(bytes)) };
    }
    return latest.details;
  }

  #readField(tag: number, reader: WireReader): void {
    switch (tag) {
      case SPAN.trace_id:
        this.traceId = readHex(reader);
        break;
      case SPAN.span_id:
        this.spanId = readHex(reader);
        break;
      case SPAN.parent_span_id:
        this.parentSpanId = readParentId(reader);
        break;
      case SPAN.name:
        this.name = reader.string();
        break;
      case SPAN.kind:
        this.kind = spanKinds[reader.varint()] ?? 'unspecified';
        break;
      case SPAN.start_time_unix_nano:
        this.startTimeUnixNano = reader.fixed64();
        break;
      case SPAN.end_time_unix_nano:
        this.endTimeUnixNano = reader.fixed64();
        break;
      case SPAN.flags:
        this.parentIsRemote = readIsRemote(reader.fixed32());
        break;
      default:
        this.#hasEvents ||= tag === SPAN.events;
        this.#hasLinks ||= tag === SPAN.links;
        reader.skip(tag);
    }
  }
}

const NO_EVENTS: readonly SpanEvent[] = [];
const NO_LINKS: readonly SpanLink[] = [];

type Details = Pick<Span, 'attributes' | 'events' | 'links' | 'status' | 'traceState'>;

let latest: { readonly span: EncodedSpan; readonly details: Details } | undefined;

function readDetails(reader: WireReader): Details {
  const attributes = new Map<string, AnyValue>();
  const events: SpanEvent[] = [];
  const links: SpanLink[] = [];
  let status: SpanStatus = { code: 'unset', message: '' };
  let traceState = '';
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === SPAN.attributes) readKeyValue(reader.message(), attributes);
    else if (tag === SPAN.events) events.push(readEvent(reader.message()));
    else if (tag === SPAN.links) links.push(readLink(reader.message()));
    else if (tag === SPAN.status) status = readStatus(reader.message(), status);
    else if (tag === SPAN.trace_state) traceState = reader.string(MAX_TRACE_STATE_BYTES);
    else reader.skip(tag);
  }
  return { attributes, events, links, status, traceState };
}

/** The memory of the objects in a value, without its texts. */
export function weightOf(value: AnyValue): number {
  let weight = 0;
  if (value instanceof Map) for (const inner of value.values()) weight += OBJECT_BYTES + weightOf(inner);
  else if (Array.isArray(value))
    for (const inner of value as readonly AnyValue[]) weight += OBJECT_BYTES / 4 + weightOf(inner);
  return weight;
}

function readEvent(reader: WireReader): SpanEvent {
  const attributes = new Map<string, AnyValue>();
  const event: Writable<SpanEvent> = { timeUnixNano: 0n, name: '', attributes };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === EVENT.time_unix_nano) event.timeUnixNano = reader.fixed64();
    else if (tag === EVENT.name) event.name = reader.string();
    else if (tag === EVENT.attributes) readKeyValue(reader.message(), attributes);
    else reader.skip(tag);
  }
  return event;
}

function readLink(reader: WireReader): SpanLink {
  const attributes = new Map<string, AnyValue>();
  const link: Writable<SpanLink> = { traceId: '', spanId: '', isSampled: undefined, attributes };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === LINK.trace_id) link.traceId = readHex(reader);
    else if (tag === LINK.span_id) link.spanId = readHex(reader);
    else if (tag === LINK.attributes) readKeyValue(reader.message(), attributes);
    else if (tag === LINK.flags) link.isSampled = readIsSampled(reader.fixed32());
    else reader.skip(tag);
  }
  return link;
}

const statusCodes = ['unset', 'ok', 'error'] as const;

function readStatus(reader: WireReader, previous: SpanStatus): SpanStatus {
  const status: Writable<SpanStatus> = { ...previous };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === STATUS.message) status.message = reader.string();
    else if (tag === STATUS.code) status.code = statusCodes[reader.varint()] ?? 'unset';
    else reader.skip(tag);
  }
  return status;
}

/** Reads a `Resource`. */
function readAttributes(reader: WireReader, target: Map<string, AnyValue>): void {
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === RESOURCE.attributes) readKeyValue(reader.message(), target);
    else reader.skip(tag);
  }
}

/** Bytes as lower-case hexadecimal digits. */
export function readHex(reader: WireReader): string {
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

/** Flags of 0 are those of a sender that does not know them. */
function readIsSampled(flags: number): boolean | undefined {
  return flags === 0 ? undefined : (flags & IS_SAMPLED) !== 0;
}

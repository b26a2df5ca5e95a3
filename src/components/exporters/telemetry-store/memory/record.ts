/**
 * The words of a span or a log record, for what differs in length:
 *
 *     span:   list, message, events (count, then each), links (count, then each)
 *     event:  time (4 words), name, list
 *     link:   trace id (8 words), span id (4 words), list
 *     log:    list, body
 *     list:   count, then a pair each
 *
 * `message` and `body` are numbers + 1, and 0 for none.
 */
import type { KeyValueMap, AnyValue } from '../../../../engine/otlp/any-value.ts';
import { anyValueToText, readKeyValue } from '../../../../engine/otlp/any-value.ts';
import { spanKinds, type Span, type SpanEvent, type SpanLink } from '../../../../engine/otlp/span-reader.ts';
import { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { SpanTrait, type Segment } from './segment.ts';

/** A span as it is kept. `durationNs` is negative if a clock was set back while it ran. */
export interface StoredSpan extends Pick<
  Span,
  'traceId' | 'spanId' | 'parentSpanId' | 'parentIsRemote' | 'name' | 'kind' | 'startTimeUnixNano' | 'attributes'
> {
  readonly durationNs: number;
  readonly status: Span['status'];
  readonly events: readonly SpanEvent[];
  readonly links: readonly Pick<SpanLink, 'traceId' | 'spanId' | 'attributes'>[];
  readonly resource: KeyValueMap;
  readonly scope: string;
}

/** A log record as it is kept. */
export interface StoredLog {
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  /** When it was written, or else when it was observed. */
  readonly timeUnixNano: bigint;
  /** 0 if it has none. https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber */
  readonly severityNumber: number;
  readonly severityText: string;
  readonly eventName: string;
  readonly body: AnyValue;
  readonly attributes: KeyValueMap;
  readonly resource: KeyValueMap;
  readonly scope: string;
}

const STATUSES = ['unset', 'ok', 'error'] as const;

export function spanAt(segment: Segment, row: number): StoredSpan {
  const { cells } = segment.spans;
  const traits = cells.traits[row] as number;
  const reader = new RecordReader(segment, cells.details[row] as number);
  const attributes = reader.list();
  const message = reader.word();
  return {
    traceId: segment.traces.bytesOf(cells.trace[row] as number).toString('hex'),
    spanId: hexAt(cells.spanId, row),
    parentSpanId: hasLong(cells.parentId, row) ? hexAt(cells.parentId, row) : undefined,
    parentIsRemote: (traits & SpanTrait.hasRemoteKnown) === 0 ? undefined : (traits & SpanTrait.isRemote) !== 0,
    name: segment.texts.textOf(cells.name[row] as number),
    kind: spanKinds[traits & SpanTrait.kind] ?? 'unspecified',
    startTimeUnixNano: longAt(cells.startNs, row),
    durationNs: durationAt(segment, row),
    status: { code: statusAt(segment, row), message: message === 0 ? '' : segment.texts.textOf(message - 1) },
    attributes,
    events: reader.events(),
    links: reader.links(),
    resource: attributesOf(segment, cells.resource[row] as number, 0),
    scope: scopeName(segment, cells.scope[row] as number),
  };
}

export function logAt(segment: Segment, row: number): StoredLog {
  const { cells } = segment.logs;
  const trace = cells.trace[row] as number;
  const reader = new RecordReader(segment, cells.details[row] as number);
  const attributes = reader.list();
  const body = reader.word();
  const text = (entry: number): string => (entry === 0 ? '' : segment.texts.textOf(entry - 1));
  return {
    traceId: trace === 0 ? undefined : segment.traces.bytesOf(trace - 1).toString('hex'),
    spanId: hasLong(cells.spanId, row) ? hexAt(cells.spanId, row) : undefined,
    timeUnixNano: longAt(cells.timeNs, row),
    severityNumber: cells.severity[row] as number,
    severityText: text(cells.severityText[row] as number),
    eventName: text(cells.eventName[row] as number),
    body: body === 0 ? null : pairOf(segment, body - 1)[1],
    attributes,
    resource: attributesOf(segment, cells.resource[row] as number, 0),
    scope: scopeName(segment, cells.scope[row] as number),
  };
}

export function statusAt(segment: Segment, row: number): Span['status']['code'] {
  return STATUSES[((segment.spans.cells.traits[row] as number) >> SpanTrait.statusShift) & SpanTrait.status] ?? 'unset';
}

/** Exact below 104 days. */
export function durationAt({ spans: { cells } }: Segment, row: number): number {
  const { startNs, endNs } = cells;
  const high = (endNs[2 * row + 1] as number) - (startNs[2 * row + 1] as number);
  return high * 2 ** 32 + (endNs[2 * row] as number) - (startNs[2 * row] as number);
}

/** Milliseconds since 1970, to the microsecond. */
export function millisecondsAt(times: ArrayLike<number>, row: number): number {
  return ((times[2 * row + 1] as number) * 2 ** 32 + (times[2 * row] as number)) / 1e6;
}

export function hasLong(column: ArrayLike<number>, row: number): boolean {
  return column[2 * row] !== 0 || column[2 * row + 1] !== 0;
}

/** The resource, or a scope without the two words of its name and version. */
export function attributesOf({ lists, pairs }: Segment, list: number, from: number): KeyValueMap {
  const words = lists.bytesOf(list);
  const attributes = new Map<string, AnyValue>();
  for (let at = 2 * from; at < words.length; at += 2) readPair(pairs.bytesOf(words.readUInt16LE(at)), attributes);
  return attributes;
}

/** The pairs of a resource. */
export function* pairsOfList({ lists }: Segment, list: number): Generator<number> {
  const words = lists.bytesOf(list);
  for (let at = 0; at < words.length; at += 2) yield words.readUInt16LE(at);
}

/** The `service.name` among the attributes of a resource, or an empty text. */
export function serviceIn(resource: KeyValueMap): string {
  return anyValueToText(resource.get('service.name') ?? null);
}

export function scopeName({ lists, texts }: Segment, list: number): string {
  return texts.textOf(lists.bytesOf(list).readUInt16LE(0));
}

export function pairOf({ pairs }: Segment, pair: number): readonly [key: string, value: AnyValue] {
  const attributes = new Map<string, AnyValue>();
  readPair(pairs.bytesOf(pair), attributes);
  const [entry = ['', null] as const] = attributes;
  return entry;
}

function readPair(bytes: Uint8Array, target: Map<string, AnyValue>): void {
  readKeyValue(new WireReader(bytes), target);
}

/** Ids are kept as they are written: a little-endian number of their bytes. */
function hexAt(column: ArrayLike<number>, row: number): string {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeUInt32LE(column[2 * row] as number, 0);
  bytes.writeUInt32LE(column[2 * row + 1] as number, 4);
  return bytes.toString('hex');
}

function longAt(column: ArrayLike<number>, row: number): bigint {
  return (BigInt(column[2 * row + 1] as number) << 32n) | BigInt(column[2 * row] as number);
}

class RecordReader {
  readonly #segment: Segment;
  #at: number;

  constructor(segment: Segment, at: number) {
    this.#segment = segment;
    this.#at = at;
  }

  word(): number {
    return this.#segment.words.at(this.#at++);
  }

  list(): KeyValueMap {
    const attributes = new Map<string, AnyValue>();
    for (let left = this.word(); left > 0; left--) readPair(this.#segment.pairs.bytesOf(this.word()), attributes);
    return attributes;
  }

  events(): SpanEvent[] {
    return Array.from({ length: this.word() }, () => {
      const time = this.#hex(4);
      const name = this.#segment.texts.textOf(this.word());
      return { timeUnixNano: Buffer.from(time, 'hex').readBigUInt64LE(), name, attributes: this.list() };
    });
  }

  links(): Pick<SpanLink, 'traceId' | 'spanId' | 'attributes'>[] {
    return Array.from({ length: this.word() }, () => ({
      traceId: this.#hex(8),
      spanId: this.#hex(4),
      attributes: this.list(),
    }));
  }

  #hex(words: number): string {
    const bytes = Buffer.allocUnsafe(2 * words);
    for (let i = 0; i < words; i++) bytes.writeUInt16LE(this.word(), 2 * i);
    return bytes.toString('hex');
  }
}

/** Errors that arrive as log records: OpenTelemetry's exceptions besides spans, and those of spans that are not sampled. */
import type { TelemetryBatch } from '../../../engine/component.ts';
import { textOf, type KeyValueMap } from '../../../engine/otlp/any-value.ts';
import { rewriteSteps } from '../../../engine/otlp/items.ts';
import { readLogRecord, type ReceivedLogRecord } from '../../../engine/otlp/log-reader.ts';
import type { Span } from '../../../engine/otlp/span-reader.ts';
import type { Level, RecordedException } from './exceptions.ts';
import { localRootOf, type Segment } from './segments.ts';
import { semanticsOf } from './span-semantics.ts';

/** How long a record waits for its span, which is exported later: an SDK sends its spans every five seconds. */
const WAIT_MS = 12_000;
const [MAX_HELD, MAX_HELD_BYTES] = [1000, 16 * 1024 * 1024];
/** The number of sent segments that are remembered, for records that come later. */
const MAX_REMEMBERED = 10_000;

/** The name of the local root of the record, if the span is not sent itself. */
const SEGMENT_NAME = 'sentry.segment.name';
const SPAN_NAME = 'otel.span_name';

/** The records of a batch that describe an exception, and undefined for each that does not and where other work may run. */
export function* errorRecordsIn({ chunks }: TelemetryBatch): Generator<ReceivedLogRecord | undefined> {
  for (const chunk of chunks) {
    const found: ReceivedLogRecord[] = [];
    const steps = rewriteSteps('logs', chunk, (item) => {
      if (isException(item.attributes)) found.push(readLogRecord(item));
      return 'keep';
    });
    for (const _ of steps) {
      yield* found.splice(0);
      yield undefined;
    }
    yield* found;
  }
}

/** The attributes that the semantic conventions require for an exception. */
function isException(attributes: KeyValueMap): boolean {
  return textOf(attributes, 'exception.type', 'exception.message') !== undefined;
}

/** Keeps records until their spans leave, because the name and the request of an error are those of its local root. */
export class HeldRecords {
  /** The oldest first. */
  readonly #held = new Map<ReceivedLogRecord, number>();
  /** How many records each trace has. */
  readonly #traces = new Map<string, number>();
  /** The names of sent local roots. */
  readonly #names = new Map<string, string>();
  #heapBytes = 0;

  get count(): number {
    return this.#held.size;
  }

  /** True if `takeDue` must release records early. */
  get isOverfull(): boolean {
    return this.#held.size > MAX_HELD || this.#heapBytes > MAX_HELD_BYTES;
  }

  /** @param segmentId the local root of the record's span, if that was sent. */
  add(received: ReceivedLogRecord, segmentId: string | undefined, nowMs: number): void {
    const { traceId } = received;
    const name = segmentId === undefined ? undefined : this.#names.get(keyOf({ traceId, spanId: segmentId }));
    const record = name === undefined ? received : withSegmentName(received, name);
    const canWait = record.spanId !== '' && !record.attributes.has(SEGMENT_NAME);
    this.#held.set(record, canWait ? nowMs + WAIT_MS : nowMs);
    this.#heapBytes += record.heapBytes;
    this.#traces.set(traceId, (this.#traces.get(traceId) ?? 0) + 1);
  }

  /** Removes the records of these spans, and remembers the names of their roots. */
  takeOf(segments: readonly Segment[]): readonly ReceivedLogRecord[] {
    const ids = new Set<string>();
    for (const segment of segments) {
      const root = localRootOf(segment);
      if (root !== undefined) this.#remember(keyOf(root), semanticsOf(root).name);
      if (!this.#traces.has(segment.root.traceId)) continue;
      for (const span of [segment.root, ...segment.children]) ids.add(keyOf(span));
    }
    return ids.size === 0 ? [] : this.#take(([record]) => ids.has(keyOf(record)));
  }

  /** Removes the records that waited long enough, and the oldest above the limits. */
  takeDue(nowMs: number): readonly ReceivedLogRecord[] {
    return this.#take(([, dueAtMs]) => dueAtMs <= nowMs || this.isOverfull);
  }

  #remember(key: string, name: string): void {
    this.#names.set(key, name);
    if (this.#names.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#names.keys()) {
      this.#names.delete(oldest);
      return;
    }
  }

  #take(isTaken: (entry: readonly [ReceivedLogRecord, number]) => boolean): readonly ReceivedLogRecord[] {
    const taken: ReceivedLogRecord[] = [];
    for (const entry of this.#held) {
      if (!isTaken(entry)) continue;
      const [record] = entry;
      this.#held.delete(record);
      this.#heapBytes -= record.heapBytes;
      const left = (this.#traces.get(record.traceId) ?? 1) - 1;
      if (left === 0) this.#traces.delete(record.traceId);
      else this.#traces.set(record.traceId, left);
      taken.push(record);
    }
    return taken;
  }
}

function withSegmentName(record: ReceivedLogRecord, name: string): ReceivedLogRecord {
  return { ...record, attributes: new Map([...record.attributes, [SEGMENT_NAME, name]]) };
}

function keyOf({ traceId, spanId }: { readonly traceId: string; readonly spanId: string }): string {
  return traceId + spanId;
}

/** @param place the span of the record with its segment, if they are known. */
export function toException(
  record: ReceivedLogRecord,
  place?: { readonly span: Span; readonly segment: Segment },
): RecordedException {
  const named = rootOf(record);
  const root = place === undefined ? named : localRootOf(place.segment);
  return {
    span: place?.span ?? spanOf(record, named),
    event: { name: 'exception', timeUnixNano: timeOf(record), attributes: record.attributes },
    root,
    spans: place === undefined ? [] : [place.segment.root, ...place.segment.children],
    isRepetition: false,
    record: { level: levelOf(record), message: typeof record.body === 'string' ? record.body : '' },
  };
}

/** The local root as the record describes it: its attributes are those of the root. */
function rootOf(record: ReceivedLogRecord): Span | undefined {
  const { attributes } = record;
  const name = textOf(attributes, SEGMENT_NAME);
  return name === undefined ? undefined : asSpan(record, { name, attributes });
}

/** The span of the record. Only its name may be known. */
function spanOf(record: ReceivedLogRecord, root: Span | undefined): Span {
  const name = textOf(record.attributes, SPAN_NAME) ?? root?.name ?? '';
  return root?.name === name ? root : asSpan(record, { name, attributes: new Map() });
}

function asSpan(
  { traceId, spanId, resource, ...record }: ReceivedLogRecord,
  { name, attributes }: Pick<Span, 'name' | 'attributes'>,
): Span {
  const time = timeOf(record);
  return {
    traceId,
    spanId,
    parentSpanId: undefined,
    parentIsRemote: undefined,
    traceState: '',
    name,
    kind: attributes.has('http.request.method') ? 'server' : 'internal',
    startTimeUnixNano: time,
    endTimeUnixNano: time,
    attributes,
    events: [],
    links: [],
    status: { code: 'unset', message: '' },
    resource,
    sizeBytes: 0,
    heapBytes: 0,
  };
}

function timeOf({ timeUnixNano }: Pick<ReceivedLogRecord, 'timeUnixNano'>): bigint {
  return timeUnixNano === 0n ? BigInt(Date.now()) * 1_000_000n : timeUnixNano;
}

/** Each name covers four numbers of OpenTelemetry. https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber */
const LEVELS: readonly Level[] = ['debug', 'debug', 'info', 'warning', 'error', 'fatal'];

function levelOf({ severityNumber }: ReceivedLogRecord): Level {
  return LEVELS[Math.floor((severityNumber - 1) / 4)] ?? 'error';
}

import { fieldTags } from '../../../../engine/otlp/schema.ts';
import { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { durationAt } from '../memory/record.ts';
import { MAX_PARTS, SpanTrait, type Segment } from '../memory/segment.ts';
import { idOf, type TelemetryMemory } from '../memory/telemetry-memory.ts';
import { ERROR, SLOW } from '../memory/trace-classes.ts';
import type { IntakeCounts } from './intake-counts.ts';
import { internText } from './intern-text.ts';
import type { PairIntake } from './pair-intake.ts';
import { PairList } from './pair-list.ts';
import { Ranges } from './ranges.ts';
import { addTo, copyLong, isEmptyId, placeOf, skipFixed64, SpanFields } from './span-fields.ts';
import { walkItems, type ReadItem } from './walk-items.ts';

const EVENT = fieldTags('Event');
const LINK = fieldTags('Link');

const MAX_ATTRIBUTES = 128;
/** The most words of an event or link. */
const MOST_OF_ONE = MAX_ATTRIBUTES + 2;

/** `SpanFlags`: bit 9 is valid only if bit 8 is set. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
const [SERVER, CONSUMER] = [2, 5];
const STATUS_ERROR = 2;
const EXCEPTION = Buffer.from('exception');

/** Stores the spans of requests. It copies numbers and compares bytes; only attributes that are new are decoded. */
export class SpanIntake {
  readonly #memory: TelemetryMemory;
  readonly #slowNs: number;
  readonly #pairs: PairList;
  readonly #fields = new SpanFields();
  readonly #inner = new Ranges(MAX_ATTRIBUTES);

  /** @param slowMs a trace with a local root of at least this duration is slow. */
  constructor(memory: TelemetryMemory, pairs: PairIntake, slowMs: number) {
    this.#memory = memory;
    this.#slowNs = slowMs * 1e6;
    this.#pairs = new PairList(pairs);
  }

  take(chunk: Uint8Array, counts: IntakeCounts): Generator<undefined> {
    return walkItems(chunk, this.#pairs, (reader, end, place) => {
      this.#fields.read(reader, end);
      this.#store(place, counts);
    });
  }

  #store({ view, origin }: Parameters<ReadItem>[2], counts: IntakeCounts): void {
    const fields = this.#fields;
    if (isEmptyId(view, fields.traceId, 16) || isEmptyId(view, fields.spanId, 8)) return counts.drop('invalid_ids');
    const segment = this.#memory.open;
    origin.enter(segment);
    const { traces, texts, words, spans } = segment;
    const row = spans.add();
    const { cells } = spans;
    const { traceId } = fields;
    cells.trace[row] = traces.intern(view, traceId, traceId + 16);
    cells.name[row] = internText(texts, view, fields.nameStart, fields.nameEnd);
    cells.resource[row] = origin.resource;
    cells.scope[row] = origin.scope;
    copyLong(view, fields.spanId, cells.spanId, row);
    copyLong(view, fields.parentId, cells.parentId, row);
    copyLong(view, fields.start, cells.startNs, row);
    copyLong(view, fields.end, cells.endNs, row);
    cells.details[row] = words.length;
    this.#list(segment, view, fields.attributes);
    const { messageStart, messageEnd } = fields;
    words.push(messageStart === messageEnd ? 0 : internText(texts, view, messageStart, messageEnd) + 1);
    const hasException = this.#events(segment, view, counts);
    this.#links(segment, view, counts);
    cells.traits[row] = traitsOf(fields, hasException);
    counts.cut(fields.beyond);
    this.#classify(segment, row);
  }

  #classify(segment: Segment, row: number): void {
    const { kind, flags, status, parentId } = this.#fields;
    const { traits, trace } = segment.spans.cells;
    const isRoot = parentId < 0 || (flags & IS_REMOTE) !== 0 || kind === SERVER || kind === CONSUMER;
    const isError = status === STATUS_ERROR || ((traits[row] as number) & SpanTrait.hasException) !== 0;
    const isSlow = isRoot && durationAt(segment, row) >= this.#slowNs;
    if (!isError && !isSlow) return;
    const id = segment.traces.bytesOf(trace[row] as number);
    this.#memory.classes.raise(idOf(id), isError ? ERROR : SLOW);
  }

  #list(segment: Segment, view: DataView, attributes: Ranges): void {
    const numbers = this.#pairs.read(segment, view, attributes);
    segment.words.push(numbers.length);
    for (const number of numbers) segment.words.push(number);
  }

  /** @returns true if one is an exception. */
  #events(segment: Segment, view: DataView, counts: IntakeCounts): boolean {
    const { words, texts } = segment;
    const { events } = this.#fields;
    const countAt = words.length;
    words.push(events.count);
    let hasException = false;
    for (let i = 0; i < events.count; i++) {
      if (words.length - countAt > MAX_PARTS / 2 - 3 * MOST_OF_ONE) {
        words.set(countAt, i);
        counts.cut(events.count - i);
        break;
      }
      const event = this.#readEvent(view, events.start(i), events.end(i));
      this.#copyWords(segment, view, event.time, 4);
      const name = internText(texts, view, event.nameStart, event.nameEnd);
      words.push(name);
      hasException ||= texts.bytesOf(name).equals(EXCEPTION);
      this.#list(segment, view, this.#inner);
      counts.cut(this.#inner.beyond);
    }
    return hasException;
  }

  #readEvent(view: DataView, start: number, end: number) {
    const reader = new WireReader(bytesOf(view), start, end);
    let [time, nameStart, nameEnd] = [-1, 0, 0];
    this.#inner.clear();
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === EVENT.time_unix_nano) time = skipFixed64(reader);
      else if (tag === EVENT.attributes) addTo(this.#inner, reader);
      else if (tag === EVENT.name) {
        const length = reader.varint();
        nameStart = reader.position;
        nameEnd = reader.position += length;
      } else reader.skip(tag);
    }
    return { time, nameStart, nameEnd };
  }

  #links(segment: Segment, view: DataView, counts: IntakeCounts): void {
    const { words } = segment;
    const { links } = this.#fields;
    const countAt = words.length;
    words.push(links.count);
    for (let i = 0; i < links.count; i++) {
      if (words.length - countAt > MAX_PARTS / 2 - 3 * MOST_OF_ONE) {
        words.set(countAt, i);
        counts.cut(links.count - i);
        break;
      }
      const { traceId, spanId } = this.#readLink(view, links.start(i), links.end(i));
      this.#copyWords(segment, view, traceId, 8);
      this.#copyWords(segment, view, spanId, 4);
      this.#list(segment, view, this.#inner);
      counts.cut(this.#inner.beyond);
    }
  }

  #readLink(view: DataView, start: number, end: number) {
    const reader = new WireReader(bytesOf(view), start, end);
    let [traceId, spanId] = [-1, -1];
    this.#inner.clear();
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === LINK.trace_id) traceId = placeOf(reader, 16);
      else if (tag === LINK.span_id) spanId = placeOf(reader, 8);
      else if (tag === LINK.attributes) addTo(this.#inner, reader);
      else reader.skip(tag);
    }
    return { traceId, spanId };
  }

  #copyWords({ words }: Segment, view: DataView, place: number, count: number): void {
    for (let i = 0; i < count; i++) words.push(place < 0 ? 0 : view.getUint16(place + 2 * i, true));
  }
}

function traitsOf({ kind, status, flags }: SpanFields, hasException: boolean): number {
  const remote = (flags & HAS_IS_REMOTE) === 0 ? 0 : SpanTrait.hasRemoteKnown;
  return (
    (kind <= CONSUMER ? kind : 0) |
    ((status <= STATUS_ERROR ? status : 0) << SpanTrait.statusShift) |
    remote |
    (remote !== 0 && (flags & IS_REMOTE) !== 0 ? SpanTrait.isRemote : 0) |
    (hasException ? SpanTrait.hasException : 0)
  );
}

function bytesOf({ buffer, byteOffset, byteLength }: DataView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

import { readAnyValue } from '../../../../engine/otlp/any-value.ts';
import { fieldTags } from '../../../../engine/otlp/schema.ts';
import type { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { ERROR_SEVERITY, idOf, type TelemetryMemory } from '../memory/telemetry-memory.ts';
import { ERROR } from '../memory/trace-classes.ts';
import type { IntakeCounts } from './intake-counts.ts';
import { internText } from './intern-text.ts';
import type { PairIntake } from './pair-intake.ts';
import { PairList } from './pair-list.ts';
import { Ranges } from './ranges.ts';
import { addTo, copyLong, isEmptyId, placeOf, skipFixed64 } from './span-fields.ts';
import { walkItems, type ReadItem } from './walk-items.ts';

const LOG = fieldTags('LogRecord');
const MAX_ATTRIBUTES = 128;
const MAX_SEVERITY = 24;

/** Stores the log records of requests. */
export class LogIntake {
  readonly #memory: TelemetryMemory;
  readonly #intake: PairIntake;
  readonly #pairs: PairList;
  readonly #attributes = new Ranges(MAX_ATTRIBUTES);
  readonly #places = new LogPlaces();

  constructor(memory: TelemetryMemory, pairs: PairIntake) {
    this.#memory = memory;
    this.#intake = pairs;
    this.#pairs = new PairList(pairs);
  }

  take(chunk: Uint8Array, counts: IntakeCounts): Generator<undefined> {
    return walkItems(chunk, this.#pairs, (reader, end, place) => {
      this.#attributes.clear();
      this.#places.read(reader, end, this.#attributes);
      this.#store(reader, place, counts);
    });
  }

  #store(reader: WireReader, { view, origin }: Parameters<ReadItem>[2], counts: IntakeCounts): void {
    const places = this.#places;
    const segment = this.#memory.open;
    origin.enter(segment);
    const { texts, words, logs } = segment;
    const row = logs.add();
    const { cells } = logs;
    cells.resource[row] = origin.resource;
    cells.scope[row] = origin.scope;
    const severity = places.severity <= MAX_SEVERITY ? places.severity : 0;
    cells.severity[row] = severity;
    const text = (start: number, end: number): number => (start === end ? 0 : internText(texts, view, start, end) + 1);
    cells.severityText[row] = text(places.severityTextStart, places.severityTextEnd);
    cells.eventName[row] = text(places.eventNameStart, places.eventNameEnd);
    const hasTime = !isEmptyId(view, places.time, 8);
    copyLong(view, hasTime ? places.time : places.observed, cells.timeNs, row);
    if (!isEmptyId(view, places.traceId, 16)) {
      const trace = segment.traces.intern(view, places.traceId, places.traceId + 16);
      cells.trace[row] = trace + 1;
      copyLong(view, places.spanId, cells.spanId, row);
      if (severity >= ERROR_SEVERITY) this.#memory.classes.raise(idOf(segment.traces.bytesOf(trace)), ERROR);
    }
    cells.details[row] = words.length;
    const numbers = this.#pairs.read(segment, view, this.#attributes);
    words.push(numbers.length);
    for (const number of numbers) words.push(number);
    words.push(this.#body(segment, reader) + 1);
    counts.cut(this.#attributes.beyond);
  }

  /** The number of the body; -1 for none. */
  #body(segment: TelemetryMemory['open'], reader: WireReader): number {
    if (this.#places.body < 0) return -1;
    reader.position = this.#places.body;
    return this.#intake.takeValue(segment, '', readAnyValue(reader.message()));
  }
}

/** Where the fields of one record are in its request. A place is -1 if the field is absent. */
class LogPlaces {
  traceId = -1;
  spanId = -1;
  time = -1;
  observed = -1;
  body = -1;
  severity = 0;
  severityTextStart = 0;
  severityTextEnd = 0;
  eventNameStart = 0;
  eventNameEnd = 0;

  read(reader: WireReader, end: number, attributes: Ranges): void {
    this.#clear();
    while (reader.position < end) this.#field(reader, reader.tag(), attributes);
  }

  #field(reader: WireReader, tag: number, attributes: Ranges): void {
    switch (tag) {
      case LOG.attributes:
        addTo(attributes, reader);
        break;
      case LOG.trace_id:
        this.traceId = placeOf(reader, 16);
        break;
      case LOG.span_id:
        this.spanId = placeOf(reader, 8);
        break;
      case LOG.time_unix_nano:
        this.time = skipFixed64(reader);
        break;
      case LOG.observed_time_unix_nano:
        this.observed = skipFixed64(reader);
        break;
      case LOG.severity_number:
        this.severity = reader.varint();
        break;
      default:
        this.#text(reader, tag);
    }
  }

  #text(reader: WireReader, tag: number): void {
    if (tag !== LOG.body && tag !== LOG.severity_text && tag !== LOG.event_name) return reader.skip(tag);
    const place = reader.position;
    const length = reader.varint();
    const start = reader.position;
    reader.position += length;
    if (tag === LOG.body) this.body = place;
    else if (tag === LOG.severity_text) [this.severityTextStart, this.severityTextEnd] = [start, reader.position];
    else [this.eventNameStart, this.eventNameEnd] = [start, reader.position];
  }

  #clear(): void {
    this.traceId = this.spanId = this.time = this.observed = this.body = -1;
    this.severity = this.severityTextStart = this.severityTextEnd = this.eventNameStart = this.eventNameEnd = 0;
  }
}

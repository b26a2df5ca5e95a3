import { anyValueToText, readKeyValue, writeAnyValue, type AnyValue } from '../../../../engine/otlp/any-value.ts';
import { fieldNumbers, fieldTags } from '../../../../engine/otlp/schema.ts';
import { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { WireWriter } from '../../../../engine/otlp/wire-writer.ts';
import { viewOf } from '../../../../engine/columns/hash-bytes.ts';
import { cleanText, type Privacy } from '../../../../privacy/privacy.ts';
import { withoutLiterals } from '../../../../privacy/query-literals.ts';
import { ByteDictionary } from '../memory/byte-dictionary.ts';
import type { Segment } from '../memory/segment.ts';

/** A longer value is cut. Stack traces are shorter. */
export const MAX_VALUE_CHARACTERS = 16 * 1024;
/** Ends a text that was cut. */
export const CUT = '… [cut]';

const QUERIES = new Set(['db.query.text', 'db.statement']);

/** Texts without these mean the same in each database. */
const DEPENDS_ON_SYSTEM = /["\\#]|\/\*|--/;

/** Kept as it is if there is no secret inside; never kept; decided by its value. */
const PLAIN = 1;
const OMITTED = 2;
const EXAMINED = 3;

/** The number of attribute names that are remembered: their number is up to the senders. */
const MAX_KEYS = 5000;

const KEY_VALUE = fieldTags('KeyValue');
const ANY_VALUE = fieldTags('AnyValue');
const PAIR = fieldNumbers('KeyValue');
const OWN_FIELD = 15;

/** An attribute in a request. */
export interface EncodedPair {
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
}

/**
 * Finds the numbers of encoded attributes. Each distinct attribute is decoded at most once: a segment keeps the bytes of those
 * in which there is nothing to hide, and compares. What the list of secrets changes is never kept as it came.
 */
export class PairIntake {
  readonly #privacy: Privacy;
  readonly #keys = new ByteDictionary();
  /** Indexed by key. */
  readonly #treatments = new Uint8Array(MAX_KEYS);
  readonly #writer = new WireWriter();
  #cutValues = 0;

  constructor(privacy: Privacy) {
    this.#privacy = privacy;
  }

  /** How many values were cut since the last call. */
  takeCutValues(): number {
    const count = this.#cutValues;
    this.#cutValues = 0;
    return count;
  }

  /**
   * @returns the number of the pair; -1 if it must not be kept, -2 for a query whose text depends on the database system, for `takeQuery`.
   */
  take(segment: Segment, view: DataView, start: number, end: number): number {
    const { pairs } = segment;
    const known = pairs.find(view, start, end);
    if (known >= 0) return known;
    const treatment = this.#treatmentOf(view, start, end);
    if (treatment === OMITTED) return -1;
    if (treatment === PLAIN) return pairs.add(view, start, end);
    const [key, value] = decode(view, start, end);
    if (QUERIES.has(key) && typeof value === 'string' && DEPENDS_ON_SYSTEM.test(value)) return -2;
    return this.#keep(segment, key, value, '');
  }

  /** The number of a query whose text depends on the database system of its span. */
  takeQuery(segment: Segment, list: readonly number[], { view, start, end }: EncodedPair): number {
    const [key, value] = decode(view, start, end);
    return this.#keep(segment, key, value, systemIn(segment, list));
  }

  /** The number of an attribute that is not encoded. */
  takeValue(segment: Segment, key: string, value: AnyValue): number {
    return this.#keep(segment, key, value, '');
  }

  #keep({ pairs }: Segment, key: string, value: AnyValue, system: string): number {
    const isQuery = QUERIES.has(key) && typeof value === 'string';
    const shown = isQuery ? withoutLiterals(value, system) : value;
    const cleaned = this.#privacy.clean(key, shown);
    if (cleaned === undefined) return -1;
    this.#writer.reset();
    this.#writer.stringField(PAIR.key, key);
    writeAnyValue(this.#writer, PAIR.value, this.#shortened(cleaned));
    // An unknown field: the bytes must not match those of the same text for another database.
    if (isQuery && DEPENDS_ON_SYSTEM.test(value)) this.#writer.varintField(OWN_FIELD, 1);
    return pairs.internBytes(this.#writer.written);
  }

  #shortened(value: AnyValue): AnyValue {
    const isText = typeof value === 'string';
    if (!isText && (typeof value !== 'object' || value === null)) return value;
    const text = isText ? value : anyValueToText(value);
    if (text.length <= MAX_VALUE_CHARACTERS) return value;
    this.#cutValues++;
    return text.slice(0, MAX_VALUE_CHARACTERS) + CUT;
  }

  /** Looks at the bytes only: unusual ones are examined. */
  #treatmentOf(view: DataView, start: number, end: number): number {
    if (end - start < 4 || view.getUint8(start) !== KEY_VALUE.key) return EXAMINED;
    const keyLength = view.getUint8(start + 1);
    const keyEnd = start + 2 + keyLength;
    if (keyLength > 127 || keyEnd > end) return EXAMINED;
    const treatment = this.#treatmentOfKey(view, start + 2, keyEnd);
    return treatment === PLAIN && !isPlain(view, keyEnd, end) ? EXAMINED : treatment;
  }

  #treatmentOfKey(view: DataView, start: number, end: number): number {
    let key = this.#keys.find(view, start, end);
    if (key < 0) {
      const name = textIn(view, start, end);
      const treatment = this.#treatmentOfName(name);
      if (this.#keys.count === MAX_KEYS) return treatment;
      key = this.#keys.add(view, start, end);
      this.#treatments[key] = treatment;
    }
    return this.#treatments[key] as number;
  }

  #treatmentOfName(name: string): number {
    if (QUERIES.has(name)) return EXAMINED;
    const treatment = this.#privacy.treatment(name);
    if (treatment === 'omit') return OMITTED;
    return treatment === 'clean' ? PLAIN : EXAMINED;
  }
}

/**
 * True for a number, a boolean, and for a text that is short enough and has no secret inside. False for everything that is
 * written in an unusual way: a field that comes twice could hide another.
 */
function isPlain(view: DataView, start: number, end: number): boolean {
  const size = end - start;
  if (size > MAX_VALUE_CHARACTERS || size < 4 || view.getUint8(start) !== KEY_VALUE.value) return false;
  const valueStart = startOfContent(view, start + 1, end);
  if (valueStart < 0) return false;
  switch (view.getUint8(valueStart)) {
    case ANY_VALUE.string_value: {
      const textStart = startOfContent(view, valueStart + 1, end);
      return textStart >= 0 && !holdsSecret(textIn(view, textStart, end));
    }
    case ANY_VALUE.double_value:
      return end - valueStart === 9;
    case ANY_VALUE.bool_value:
    case ANY_VALUE.int_value:
      return isOneVarint(view, valueStart + 1, end);
    default:
      return false;
  }
}

/** Where the content begins whose length is written here; -1 if it does not reach exactly to `end`. */
function startOfContent(view: DataView, at: number, end: number): number {
  if (at >= end) return -1;
  const low = view.getUint8(at);
  if (low < 0x80) return at + 1 + low === end ? at + 1 : -1;
  if (at + 1 >= end) return -1;
  const high = view.getUint8(at + 1);
  return high < 0x80 && at + 2 + (low & 0x7f) + (high << 7) === end ? at + 2 : -1;
}

function isOneVarint(view: DataView, start: number, end: number): boolean {
  for (let at = start; at < end - 1; at++) if (view.getUint8(at) < 0x80) return false;
  return start < end && view.getUint8(end - 1) < 0x80;
}

function holdsSecret(text: string): boolean {
  return cleanText(text) !== text;
}

function decode(view: DataView, start: number, end: number): readonly [key: string, value: AnyValue] {
  const pair = new Map<string, AnyValue>();
  const bytes = new Uint8Array(view.buffer, view.byteOffset + start, end - start);
  readKeyValue(new WireReader(bytes), pair);
  const [entry = ['', null] as const] = pair;
  return entry;
}

/** Encoded. */
const SYSTEM_KEYS = ['db.system.name', 'db.system'].map((name) =>
  Buffer.from([KEY_VALUE.key, name.length, ...Buffer.from(name)]),
);

function systemIn({ pairs }: Segment, list: readonly number[]): string {
  for (const key of SYSTEM_KEYS) {
    for (const pair of list) {
      const bytes = pairs.bytesOf(pair);
      if (bytes.length <= key.length || bytes.compare(key, 0, key.length, 0, key.length) !== 0) continue;
      const [, value] = decode(viewOf(bytes), 0, bytes.length);
      if (typeof value === 'string') return value;
    }
  }
  return '';
}

function textIn(view: DataView, start: number, end: number): string {
  return Buffer.from(view.buffer, view.byteOffset + start, end - start).toString();
}

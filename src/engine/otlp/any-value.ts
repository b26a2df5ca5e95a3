import { fieldNumbers, fieldTags } from './schema.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 * An OTLP `AnyValue` as a JavaScript value. `null` is a value without content. Integers are `number` if that is exact,
 * otherwise `bigint`.
 */
export type AnyValue = string | boolean | number | bigint | Uint8Array | null | readonly AnyValue[] | KeyValueMap;

export type KeyValueMap = ReadonlyMap<string, AnyValue>;

const ANY_VALUE = fieldTags('AnyValue');
const ARRAY = fieldTags('ArrayValue');
const LIST = fieldTags('KeyValueList');
const KEY_VALUE = fieldTags('KeyValue');

/** The part of a text or of bytes that is read. No backend accepts more. */
const MAX_VALUE_BYTES = 1024 * 1024;

/**
 * Reads the message `AnyValue` without references to its buffer; depth is bounded by the framing check at the receiver.
 *
 * @param previous the value of the same field before: messages of one field are one message.
 */
export function readAnyValue(reader: WireReader, previous: AnyValue = null): AnyValue {
  let value = previous;
  while (!reader.done) {
    const tag = reader.tag();
    switch (tag) {
      case ANY_VALUE.string_value:
        value = reader.string(MAX_VALUE_BYTES);
        break;
      case ANY_VALUE.bool_value:
        value = reader.varint() !== 0;
        break;
      case ANY_VALUE.int_value:
        value = narrowInteger(reader.int64());
        break;
      case ANY_VALUE.double_value:
        value = reader.double();
        break;
      case ANY_VALUE.array_value:
        value = readArray(reader.message());
        break;
      case ANY_VALUE.kvlist_value:
        value = readKeyValues(reader.message());
        break;
      case ANY_VALUE.bytes_value:
        value = reader.bytes().slice(0, MAX_VALUE_BYTES);
        break;
      default:
        reader.skip(tag);
    }
  }
  return value;
}

/** Reads the message `KeyValue` into `target`; a repeated key replaces the earlier value. */
export function readKeyValue(reader: WireReader, target: Map<string, AnyValue>): void {
  let key = '';
  let value: AnyValue = null;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === KEY_VALUE.key) key = reader.string(MAX_VALUE_BYTES);
    else if (tag === KEY_VALUE.value) value = readAnyValue(reader.message(), value);
    else reader.skip(tag);
  }
  target.set(key, value);
}

const PAIR = fieldNumbers('KeyValue');
const VALUE = fieldNumbers('AnyValue');
/** The field of `ArrayValue` and of `KeyValueList`. */
const LIST_VALUES = fieldNumbers('ArrayValue').values;

/** Writes a `KeyValue` as field `field`. Whole numbers become `int_value`. */
export function writeKeyValue(writer: WireWriter, field: number, key: string, value: AnyValue): void {
  const start = writer.openField(field);
  writer.stringField(PAIR.key, key);
  writeAnyValue(writer, PAIR.value, value);
  writer.closeField(start);
}

/** Writes an `AnyValue` as field `field`. */
export function writeAnyValue(writer: WireWriter, field: number, value: AnyValue): void {
  const start = writer.openField(field);
  if (typeof value === 'string') writer.stringField(VALUE.string_value, value);
  else if (typeof value === 'number') writeNumber(writer, value);
  else if (typeof value === 'boolean') writer.boolField(VALUE.bool_value, value);
  else if (typeof value === 'bigint') writer.int64Field(VALUE.int_value, value);
  else if (value instanceof Uint8Array) writer.bytesField(VALUE.bytes_value, value);
  else if (value !== null) writeNested(writer, value);
  writer.closeField(start);
}

function writeNumber(writer: WireWriter, value: number): void {
  if (!Number.isSafeInteger(value)) writer.doubleField(VALUE.double_value, value);
  else if (value >= 0) writer.varintField(VALUE.int_value, value);
  else writer.int64Field(VALUE.int_value, BigInt(value));
}

function writeNested(writer: WireWriter, values: readonly AnyValue[] | KeyValueMap): void {
  if (isArray(values)) {
    const start = writer.openField(VALUE.array_value);
    for (const value of values) writeAnyValue(writer, LIST_VALUES, value);
    writer.closeField(start);
    return;
  }
  const start = writer.openField(VALUE.kvlist_value);
  for (const [key, value] of values) writeKeyValue(writer, LIST_VALUES, key, value);
  writer.closeField(start);
}

/**
 * The text of a value for places that need text (a Prometheus label, a tag), equal to the stock Collector's
 * `pcommon.Value.AsString`: bytes as base64, arrays and maps as JSON with sorted keys and without escaped `<`, `>`
 * and `&`. As there, an array or map with a number that JSON cannot represent (NaN, an infinity) has no text.
 */
export function anyValueToText(value: AnyValue): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (value instanceof Uint8Array) return toBase64(value);
  if (typeof value === 'object') return fitsJson(value) ? toJson(value) : '';
  return scalarToText(value);
}

/** The same text for the same attributes in any order. */
export function canonicalText(attributes: KeyValueMap): string {
  const parts = [...attributes]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => {
      const text = anyValueToText(value);
      return `${key.length} ${key}${text.length} ${text}`;
    });
  return parts.join('');
}

/** The first non-empty text under these keys. */
export function textOf(attributes: KeyValueMap, ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = attributes.get(key);
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/** The first number under these keys. Integers beyond 2^53 do not count. */
export function numberOf(attributes: KeyValueMap, ...keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const value = attributes.get(key);
    if (typeof value === 'number') return value;
  }
  return undefined;
}

function readArray(reader: WireReader): AnyValue[] {
  const values: AnyValue[] = [];
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === ARRAY.values) values.push(readAnyValue(reader.message()));
    else reader.skip(tag);
  }
  return values;
}

function readKeyValues(reader: WireReader): KeyValueMap {
  const values = new Map<string, AnyValue>();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === LIST.values) readKeyValue(reader.message(), values);
    else reader.skip(tag);
  }
  return values;
}

function narrowInteger(value: bigint): number | bigint {
  const narrow = Number(value);
  return Number.isSafeInteger(narrow) ? narrow : value;
}

/** JavaScript and Go write numbers the same way, except the sign of zero. */
function scalarToText(value: boolean | number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function fitsJson(value: AnyValue): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (isArray(value)) return value.every(fitsJson);
  return value instanceof Map ? [...value.values()].every(fitsJson) : true;
}

function toJson(value: AnyValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return quote(value);
  // Go does not distinguish empty bytes from nil.
  if (value instanceof Uint8Array) return value.length === 0 ? 'null' : quote(toBase64(value));
  if (isArray(value)) return `[${value.map(toJson).join(',')}]`;
  return typeof value === 'object' ? mapToJson(value) : scalarToText(value);
}

function mapToJson(map: KeyValueMap): string {
  const entries = [...map].toSorted(([a], [b]) => compareCodePoints(a, b));
  return `{${entries.map(([key, value]) => `${quote(key)}:${toJson(value)}`).join(',')}}`;
}

/** Go escapes the line separators of JavaScript, which `JSON.stringify` does not. */
function quote(text: string): string {
  return JSON.stringify(text)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`);
}

/** The order of UTF-8; JavaScript's own differs beyond U+FFFF. */
function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/** `Array.isArray` does not narrow readonly arrays. */
function isArray(value: AnyValue): value is readonly AnyValue[] {
  return Array.isArray(value);
}

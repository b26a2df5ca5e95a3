import type { Signal } from '../component.ts';
import { MAX_DEPTH } from './inspect-request.ts';
import { failAt, writeEnum, writePacked, writeScalar, type JsonPath } from './json-scalars.ts';
import { MalformedError } from './malformed-error.ts';
import { isMessage, messages, requestMessages, wireTypeOf, type Field } from './schema.ts';
import { WireType } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/**
 * The protobuf bytes of an OTLP/JSON `Export<Signal>ServiceRequest`, as lenient as the stock Collector: both
 * `lowerCamelCase` and `snake_case` names, integers as numbers or text, enums as numbers or names, `null` for
 * what is absent; unknown fields are ignored. Trace and span ids are hexadecimal, other bytes base64.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 *
 * @throws MalformedError that names the JSON path.
 */
export function protobufFromJson(signal: Signal, json: Uint8Array): Uint8Array {
  const request = parseJson(Buffer.from(json.buffer, json.byteOffset, json.length).toString('utf8'));
  const writer = new WireWriter(json.length);
  writeMessage(writer, requestMessages[signal], request, []);
  return writer.finish();
}

/** The fields of each message by both of their names. */
const fieldsByJsonName: ReadonlyMap<string, ReadonlyMap<string, Field>> = new Map(
  [...messages].map(([message, fields]) => [
    message,
    new Map(Object.entries(fields).flatMap(([name, field]) => [[name, field] as const, [camelCase(name), field]])),
  ]),
);

function writeMessage(writer: WireWriter, message: string, value: unknown, path: JsonPath): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) failAt(path, 'must be an object');
  const fields = fieldsByJsonName.get(message) as ReadonlyMap<string, Field>;
  for (const [name, content] of Object.entries(value)) {
    const field = fields.get(name);
    if (field === undefined || content === null) continue;
    path.push(name);
    if (field.repeated) writeRepeated(writer, field, content, path);
    else writeValue(writer, field, content, path);
    path.pop();
  }
}

function writeRepeated(writer: WireWriter, field: Field, value: unknown, path: JsonPath): void {
  if (!Array.isArray(value)) failAt(path, 'must be an array');
  if (typeof field.type === 'string' && wireTypeOf(field.type) !== WireType.bytes) {
    writePacked(writer, { number: field.number, type: field.type }, value, path);
    return;
  }
  for (const [index, element] of value.entries()) {
    path.push(index);
    writeValue(writer, field, element, path);
    path.pop();
  }
}

function writeValue(writer: WireWriter, { number, type }: Field, value: unknown, path: JsonPath): void {
  if (typeof type === 'string') writeScalar(writer, { number, type }, value, path);
  else if (!isMessage(type)) writeEnum(writer, { number, type }, value, path);
  else {
    if (path.length > MAX_PATH) failAt(path.slice(0, 8), `is nested deeper than ${MAX_DEPTH} messages`);
    writer.messageField(number, () => writeMessage(writer, type.message, value, path));
  }
}

/** Each message costs one step for its name, and a repeated one another for its index. */
const MAX_PATH = 2 * MAX_DEPTH;

/** Integers that a double cannot hold are kept exact; only a request that has one pays for it. */
function parseJson(text: string): unknown {
  try {
    return LONG_NUMBER.test(text) ? JSON.parse(text, reviveLongIntegers as Reviver) : JSON.parse(text);
  } catch (error) {
    throw new MalformedError(`the body is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

type Reviver = (key: string, value: unknown) => unknown;

const LONG_NUMBER = /[[:,]\s*-?\d{16}/;
const INTEGER = /^-?\d+$/;

function reviveLongIntegers(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
  return INTEGER.test(source) && source.length < 32 ? BigInt(source) : value;
}

function camelCase(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

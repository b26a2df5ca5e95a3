import type { Signal } from '../../../src/engine/component.ts';
import { MAX_DEPTH } from '../../../src/engine/otlp/inspect-request.ts';
import { writeEnum, writePackedNumber, writeScalar, type Fail } from '../../../src/engine/otlp/json/scalars.ts';
import { MalformedError } from '../../../src/engine/otlp/malformed-error.ts';
import { isMessage, messages, requestMessages, wireTypeOf, type Field } from '../../../src/engine/otlp/schema.ts';
import { WireType } from '../../../src/engine/otlp/wire-reader.ts';
import { WireWriter } from '../../../src/engine/otlp/wire-writer.ts';

/**
 * The protobuf form of an OTLP/JSON request, by `JSON.parse`: the reference for the reader that siphon uses. It needs
 * many times the memory of the request.
 */
export function protobufFromParsedJson(signal: Signal, json: Uint8Array): Uint8Array {
  const writer = new WireWriter(json.length + 1);
  writeMessage(writer, requestMessages[signal], parse(Buffer.from(json).toString()), []);
  return writer.finish();
}

type Path = (string | number)[];

function writeMessage(writer: WireWriter, message: string, value: unknown, path: Path): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) failAt(path)('must be an object');
  for (const [name, content] of Object.entries(value as object)) {
    const field = fieldOf(message, name);
    if (field === undefined || content === null) continue;
    const at = [...path, name];
    if (!field.repeated) writeValue(writer, field, content, at);
    else if (Array.isArray(content)) writeRepeated(writer, field, content, at);
    else failAt(at)('must be an array');
  }
}

function writeRepeated(writer: WireWriter, field: Field, values: readonly unknown[], path: Path): void {
  const { type } = field;
  if (typeof type === 'string' && wireTypeOf(type) !== WireType.bytes) {
    writer.messageField(field.number, () => {
      for (const [index, value] of values.entries()) writePackedNumber(writer, type, value, failAt([...path, index]));
    });
    return;
  }
  for (const [index, value] of values.entries()) writeValue(writer, field, value, [...path, index]);
}

function writeValue(writer: WireWriter, { number, type }: Field, value: unknown, path: Path): void {
  if (typeof type === 'string') writeScalar(writer, { number, type }, value, failAt(path));
  else if (!isMessage(type)) writeEnum(writer, { number, type }, value, failAt(path));
  else {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) failAt(path)('must be an object');
    if (path.length > 2 * MAX_DEPTH) failAt(path.slice(0, 8))(`is nested deeper than ${MAX_DEPTH} messages`);
    writer.messageField(number, () => writeMessage(writer, type.message, value, path));
  }
}

function fieldOf(message: string, name: string): Field | undefined {
  const entry = Object.entries(messages.get(message) ?? {}).find(
    ([key]) => key === name || key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()) === name,
  );
  return entry?.[1];
}

/** Integers that a double cannot hold are bigints. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text, ((_key: string, value: unknown, { source }: { source?: string }) => {
      if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
      return /^-?\d+$/.test(source) && source.length < 32 ? BigInt(source) : value;
    }) as (key: string, value: unknown) => unknown);
  } catch (error) {
    throw new MalformedError('the body is not JSON', { cause: error });
  }
}

function failAt(path: Path): Fail {
  return (problem) => {
    const place = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
    throw new MalformedError(`${place === '' ? 'the request' : place.slice(1)} ${problem}`);
  };
}

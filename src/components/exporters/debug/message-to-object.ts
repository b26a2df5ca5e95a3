import { isMessage, messages, type Field, type Scalar } from '../../../engine/otlp/schema.ts';
import { WireReader, WireType } from '../../../engine/otlp/wire-reader.ts';

export type MessageObject = { [name: string]: unknown };

/** A message as its JSON form: ids in hex, 64-bit integers as text. Unknown fields are omitted. */
export function messageToObject(message: string, bytes: Uint8Array): MessageObject {
  return readMessage(message, new WireReader(bytes));
}

function readMessage(message: string, reader: WireReader): MessageObject {
  const fields = Object.entries(messages.get(message) ?? {});
  const object: MessageObject = {};
  while (!reader.done) {
    const tag = reader.tag();
    const [name, field] = fields.find(([, { number }]) => number === tag >>> 3) ?? [];
    if (name === undefined || field === undefined) reader.skip(tag);
    else if (field.repeated) append(object, name, readValues(field, tag, reader));
    else object[name] = readValue(field, reader);
  }
  return object;
}

function append(object: MessageObject, name: string, values: readonly unknown[]): void {
  const list = (object[name] ??= []) as unknown[];
  for (const value of values) list.push(value);
}

/** One value, or several if numbers are packed. */
function readValues(field: Field, tag: number, reader: WireReader): readonly unknown[] {
  const isPacked = (tag & 7) === WireType.bytes && !isMessage(field.type) && !LENGTH_DELIMITED.has(field.type);
  if (!isPacked) return [readValue(field, reader)];
  const values: unknown[] = [];
  for (const packed = reader.message(); !packed.done;) values.push(readValue(field, packed));
  return values;
}

function readValue({ type }: Field, reader: WireReader): unknown {
  if (typeof type === 'string') return READ[type](reader);
  if (isMessage(type)) return readMessage(type.message, reader.message());
  const value = reader.varint();
  return type.values[value] ?? value;
}

const LENGTH_DELIMITED: ReadonlySet<unknown> = new Set<Scalar>(['string', 'bytes', 'trace_id', 'span_id']);

const hex = (reader: WireReader): string => Buffer.from(reader.bytes()).toString('hex');

const READ: Readonly<Record<Scalar, (reader: WireReader) => unknown>> = {
  string: (reader) => reader.string(),
  bytes: (reader) => Buffer.from(reader.bytes()).toString('base64'),
  trace_id: hex,
  span_id: hex,
  bool: (reader) => reader.varint() !== 0,
  uint32: (reader) => reader.varint(),
  sint32: (reader) => zigzag(reader.varint()),
  int64: (reader) => String(reader.int64()),
  uint64: (reader) => String(BigInt.asUintN(64, reader.int64())),
  fixed32: (reader) => reader.fixed32(),
  fixed64: (reader) => String(reader.fixed64()),
  sfixed64: (reader) => String(reader.sfixed64()),
  double: (reader) => finiteOrText(reader.double()),
};

/** https://protobuf.dev/programming-guides/encoding/#signed-ints */
function zigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** JSON has no NaN and no infinity. */
function finiteOrText(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

import { isMessage, messages, type Field, type Scalar } from './schema.ts';
import { WireReader, WireType } from './wire-reader.ts';

export type MessageObject = { [name: string]: unknown };

/** How much may still be read. One log line is written in one piece, so it must not be long. */
export class ContentBudget {
  leftBytes: number;

  constructor(sizeBytes: number) {
    this.leftBytes = sizeBytes;
  }

  get isSpent(): boolean {
    return this.leftBytes <= 0;
  }

  /** For one field. Small fields cost more than their bytes. */
  spend(sizeBytes: number): void {
    this.leftBytes -= Math.max(sizeBytes, FIELD_BYTES);
  }
}

const FIELD_BYTES = 16;

/**
 * A message as its JSON form: ids in hex, 64-bit integers as text. Unknown fields are omitted, and everything after the
 * budget is spent.
 */
export function messageToObject(
  message: string,
  bytes: Uint8Array,
  budget = new ContentBudget(Infinity),
): MessageObject {
  return readMessage(message, new WireReader(bytes), budget);
}

function readMessage(message: string, reader: WireReader, budget: ContentBudget): MessageObject {
  const fields = fieldsByNumber.get(message);
  const object: MessageObject = {};
  while (!reader.done && !budget.isSpent) {
    const tag = reader.tag();
    const { name, field } = fields?.get(tag >>> 3) ?? {};
    budget.spend(0);
    if (name === undefined || field === undefined) reader.skip(tag);
    else if (field.repeated) append(object, name, readValues(field, tag, reader, budget));
    else object[name] = readValue(field, reader, budget);
  }
  return object;
}

const fieldsByNumber = new Map(
  [...messages].map(([message, fields]) => [
    message,
    new Map(Object.entries(fields).map(([name, field]) => [field.number, { name, field }])),
  ]),
);

function append(object: MessageObject, name: string, values: readonly unknown[]): void {
  const list = (object[name] ??= []) as unknown[];
  for (const value of values) list.push(value);
}

/** One value, or several if numbers are packed. */
function readValues(field: Field, tag: number, reader: WireReader, budget: ContentBudget): readonly unknown[] {
  const isPacked =
    (tag & 7) === WireType.bytes && !isMessage(field.type) && !(typeof field.type === 'string' && isText(field.type));
  if (!isPacked) return [readValue(field, reader, budget)];
  const values: unknown[] = [];
  for (const packed = reader.message(); !packed.done && !budget.isSpent;) {
    budget.spend(0);
    values.push(readValue(field, packed, budget));
  }
  return values;
}

function readValue({ type }: Field, reader: WireReader, budget: ContentBudget): unknown {
  if (typeof type === 'string') {
    if (isText(type)) return READ_TEXT[type](cut(reader.message(), budget));
    return READ_NUMBER[type](reader);
  }
  if (isMessage(type)) return readMessage(type.message, reader.message(), budget);
  const value = reader.varint();
  return type.values[value] ?? value;
}

/** The bytes of a value, as far as the budget goes. */
function cut({ buffer, position, end }: WireReader, budget: ContentBudget): Buffer {
  const length = Math.min(end - position, Math.max(budget.leftBytes, 0));
  budget.spend(end - position);
  return Buffer.from(buffer.buffer, buffer.byteOffset + position, length);
}

type Text = 'string' | 'bytes' | 'trace_id' | 'span_id';

const READ_TEXT: Readonly<Record<Text, (bytes: Buffer) => string>> = {
  string: (bytes) => bytes.toString(),
  bytes: (bytes) => bytes.toString('base64'),
  trace_id: (bytes) => bytes.toString('hex'),
  span_id: (bytes) => bytes.toString('hex'),
};

function isText(type: Scalar): type is Text {
  return type in READ_TEXT;
}

const READ_NUMBER: Readonly<Record<Exclude<Scalar, Text>, (reader: WireReader) => unknown>> = {
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

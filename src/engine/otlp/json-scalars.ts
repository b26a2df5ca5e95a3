/** Conversion of scalar values from OTLP/JSON. */
import { MalformedError } from './malformed-error.ts';
import type { EnumType, Scalar } from './schema.ts';
import type { WireWriter } from './wire-writer.ts';

/** The place of a value: names and indexes from the top. */
export type JsonPath = (string | number)[];

interface ScalarField<Type> {
  readonly number: number;
  readonly type: Type;
}

export function writeScalar(writer: WireWriter, field: ScalarField<Scalar>, value: unknown, path: JsonPath): void {
  scalarWriters[field.type](writer, field.number, value, path);
}

const scalarWriters: Readonly<
  Record<Scalar, (writer: WireWriter, field: number, value: unknown, path: JsonPath) => void>
> = {
  string: (writer, field, value, path) => writer.stringField(field, readText(value, path)),
  bytes: (writer, field, value, path) => writer.bytesField(field, readBase64(value, path)),
  trace_id: (writer, field, value, path) => writer.bytesField(field, readId(value, 16, path)),
  span_id: (writer, field, value, path) => writer.bytesField(field, readId(value, 8, path)),
  bool: (writer, field, value, path) => writer.boolField(field, readBoolean(value, path)),
  uint32: (writer, field, value, path) => writer.varintField(field, Number(readInteger(value, UINT32, path))),
  sint32: (writer, field, value, path) => writer.sint32Field(field, Number(readInteger(value, INT32, path))),
  int64: (writer, field, value, path) => writer.int64Field(field, readInteger(value, INT64, path)),
  uint64: (writer, field, value, path) => writer.int64Field(field, readInteger(value, UINT64, path)),
  fixed32: (writer, field, value, path) => writer.fixed32Field(field, Number(readInteger(value, UINT32, path))),
  fixed64: (writer, field, value, path) => writer.fixed64Field(field, readInteger(value, UINT64, path)),
  sfixed64: (writer, field, value, path) => writer.fixed64Field(field, readInteger(value, INT64, path)),
  double: (writer, field, value, path) => writer.doubleField(field, readDouble(value, path)),
};

/** Repeated numbers, packed. OTLP has them as doubles and unsigned 64-bit integers. */
export function writePacked(
  writer: WireWriter,
  { number, type }: ScalarField<Scalar>,
  values: readonly unknown[],
  path: JsonPath,
): void {
  const read = <T>(readOne: (value: unknown, at: JsonPath) => T): T[] =>
    values.map((value, index) => readOne(value, [...path, index]));
  if (type === 'double') writer.packedDoubleField(number, read(readDouble));
  else {
    const integers = read((value, at) => readInteger(value, UINT64, at));
    if (type === 'fixed64') writer.packedFixed64Field(number, integers);
    else writer.packedVarintField(number, integers);
  }
}

/** Accepts numbers and names. Numbers without a name are kept, as in protobuf. */
export function writeEnum(writer: WireWriter, field: ScalarField<EnumType>, value: unknown, path: JsonPath): void {
  const index = typeof value === 'string' ? field.type.values.indexOf(value) : Number(readInteger(value, INT32, path));
  if (index === -1 && typeof value === 'string')
    failAt(path, `must be a number or one of ${field.type.values.join(', ')}`);
  writer.int64Field(field.number, BigInt(index));
}

export function failAt(path: JsonPath, problem: string): never {
  const place = path.reduce<string>((text, step) => text + (typeof step === 'number' ? `[${step}]` : `.${step}`), '');
  throw new MalformedError(`${place === '' ? 'the request' : place.slice(1)} ${problem}`);
}

interface Range {
  readonly min: bigint;
  readonly max: bigint;
}

const INT32: Range = { min: -(2n ** 31n), max: 2n ** 31n - 1n };
const UINT32: Range = { min: 0n, max: 2n ** 32n - 1n };
const INT64: Range = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const UINT64: Range = { min: 0n, max: 2n ** 64n - 1n };

const INTEGER_TEXT = /^-?\d{1,20}$/;
const DOUBLE_TEXT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const HEX = /^[0-9a-fA-F]*$/;
const NON_FINITE: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

function readText(value: unknown, path: JsonPath): string {
  return typeof value === 'string' ? value : failAt(path, 'must be text');
}

function readBoolean(value: unknown, path: JsonPath): boolean {
  return typeof value === 'boolean' ? value : failAt(path, 'must be true or false');
}

function readBase64(value: unknown, path: JsonPath): Uint8Array {
  if (typeof value !== 'string' || !BASE64.test(value)) failAt(path, 'must be base64');
  return Buffer.from(value, 'base64');
}

function readId(value: unknown, length: number, path: JsonPath): Uint8Array {
  if (typeof value === 'string' && (value.length === length * 2 || value === '') && HEX.test(value)) {
    return Buffer.from(value, 'hex');
  }
  return failAt(path, `must be ${length * 2} hexadecimal digits`);
}

/** `bigint` where the text of the request had an integer that no double holds. */
function readInteger(value: unknown, { min, max }: Range, path: JsonPath): bigint {
  const integer = toBigInt(value) ?? failAt(path, 'must be an integer');
  return integer >= min && integer <= max ? integer : failAt(path, `must lie between ${min} and ${max}`);
}

function toBigInt(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && INTEGER_TEXT.test(value) ? BigInt(value) : undefined;
}

function readDouble(value: unknown, path: JsonPath): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string') {
    const special = NON_FINITE.get(value);
    if (special !== undefined) return special;
    if (DOUBLE_TEXT.test(value)) return Number(value);
  }
  return failAt(path, 'must be a number');
}

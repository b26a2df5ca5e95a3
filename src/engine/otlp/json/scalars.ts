/** Conversion of scalar values from OTLP/JSON. */
import type { EnumType, Scalar } from '../schema.ts';
import type { WireWriter } from '../wire-writer.ts';

/** Throws an error that names the place of the value and this problem. */
export type Fail = (problem: string) => never;

interface ScalarField<Type> {
  readonly number: number;
  readonly type: Type;
}

export function writeScalar(writer: WireWriter, field: ScalarField<Scalar>, value: unknown, fail: Fail): void {
  scalarWriters[field.type](writer, field.number, value, fail);
}

const scalarWriters: Readonly<Record<Scalar, (writer: WireWriter, field: number, value: unknown, fail: Fail) => void>> =
  {
    string: (writer, field, value, fail) => writer.stringField(field, readText(value, fail)),
    bytes: (writer, field, value, fail) => writer.bytesField(field, readBase64(value, fail)),
    trace_id: (writer, field, value, fail) => writer.bytesField(field, readId(value, 16, fail)),
    span_id: (writer, field, value, fail) => writer.bytesField(field, readId(value, 8, fail)),
    bool: (writer, field, value, fail) => writer.boolField(field, readBoolean(value, fail)),
    uint32: (writer, field, value, fail) => writer.varintField(field, Number(readInteger(value, UINT32, fail))),
    sint32: (writer, field, value, fail) => writer.sint32Field(field, Number(readInteger(value, INT32, fail))),
    int64: (writer, field, value, fail) => writer.int64Field(field, readInteger(value, INT64, fail)),
    uint64: (writer, field, value, fail) => writer.int64Field(field, readInteger(value, UINT64, fail)),
    fixed32: (writer, field, value, fail) => writer.fixed32Field(field, Number(readInteger(value, UINT32, fail))),
    fixed64: (writer, field, value, fail) => writer.fixed64Field(field, readInteger(value, UINT64, fail)),
    sfixed64: (writer, field, value, fail) => writer.fixed64Field(field, readInteger(value, INT64, fail)),
    double: (writer, field, value, fail) => writer.doubleField(field, readDouble(value, fail)),
  };

/** One of several packed numbers. OTLP has them as doubles and unsigned 64-bit integers. */
export function writePackedNumber(writer: WireWriter, type: Scalar, value: unknown, fail: Fail): void {
  if (type === 'double') writer.double(readDouble(value, fail));
  else if (type === 'fixed64') writer.fixed64(readInteger(value, UINT64, fail));
  else writer.varint64(readInteger(value, UINT64, fail));
}

/** Accepts numbers and names. Numbers without a name are kept, as in protobuf. */
export function writeEnum(writer: WireWriter, field: ScalarField<EnumType>, value: unknown, fail: Fail): void {
  const index = typeof value === 'string' ? field.type.values.indexOf(value) : Number(readInteger(value, INT32, fail));
  if (index === -1 && typeof value === 'string') fail(`must be a number or one of ${field.type.values.join(', ')}`);
  writer.int64Field(field.number, BigInt(index));
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

function readText(value: unknown, fail: Fail): string {
  return typeof value === 'string' ? value : fail('must be text');
}

function readBoolean(value: unknown, fail: Fail): boolean {
  return typeof value === 'boolean' ? value : fail('must be true or false');
}

function readBase64(value: unknown, fail: Fail): Uint8Array {
  if (typeof value !== 'string' || !BASE64.test(value)) fail('must be base64');
  return Buffer.from(value, 'base64');
}

function readId(value: unknown, length: number, fail: Fail): Uint8Array {
  if (typeof value === 'string' && (value.length === length * 2 || value === '') && HEX.test(value)) {
    return Buffer.from(value, 'hex');
  }
  return fail(`must be ${length * 2} hexadecimal digits`);
}

/** `bigint` where the text of the request had an integer that no double holds. */
function readInteger(value: unknown, { min, max }: Range, fail: Fail): bigint {
  const integer = toBigInt(value) ?? fail('must be an integer');
  return integer >= min && integer <= max ? integer : fail(`must lie between ${min} and ${max}`);
}

function toBigInt(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && INTEGER_TEXT.test(value) ? BigInt(value) : undefined;
}

function readDouble(value: unknown, fail: Fail): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string') {
    const special = NON_FINITE.get(value);
    if (special !== undefined) return special;
    if (DOUBLE_TEXT.test(value)) return Number(value);
  }
  return fail('must be a number');
}

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anyValueToText,
  numberOf,
  readAnyValue,
  readKeyValue,
  textOf,
  writeKeyValue,
  type AnyValue,
} from './any-value.ts';
import { protobufFromJson } from './json/protobuf-from-json.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** Reads the value of OTLP/JSON as the body of the one log record of a request. */
function fromJson(json: string): AnyValue {
  const request = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${json}}]}]}]}`;
  let reader = new WireReader(protobufFromJson('logs', Buffer.from(request)));
  for (let depth = 0; depth < 4; depth++) {
    reader.tag();
    reader = reader.message();
  }
  return readAnyValue(reader);
}

const array = (...values: string[]): string => `{"arrayValue":{"values":[${values.join(',')}]}}`;
const map = (entries: Record<string, string>): string => {
  const values = Object.entries(entries).map(([key, value]) => `{"key":${JSON.stringify(key)},"value":${value}}`);
  return `{"kvlistValue":{"values":[${values.join(',')}]}}`;
};
const double = (value: string): string => `{"doubleValue":${value}}`;
const text = (value: string): string => `{"stringValue":${JSON.stringify(value)}}`;

/** Each right side is a label value as the stock Collector 0.155 writes it for the left side. */
describe('text of a value', () => {
  it.each([
    [text('<a>&b'), '<a>&b'],
    ['{"boolValue":false}', 'false'],
    ['{"intValue":"-5"}', '-5'],
    ['{"intValue":"9007199254740993"}', '9007199254740993'],
    ['{"bytesValue":"AQID/w=="}', 'AQID/w=='],
    ['{"bytesValue":""}', ''],
    ['{}', ''],
    [double('1.0'), '1'],
    [double('1e21'), '1e+21'],
    [double('1e20'), '100000000000000000000'],
    [double('1e-7'), '1e-7'],
    [double('1e-10'), '1e-10'],
    [double('0.000001'), '0.000001'],
    [double('-0.0'), '-0'],
    [double('"NaN"'), 'NaN'],
    [double('"Infinity"'), 'Infinity'],
    [double('"-Infinity"'), '-Infinity'],
    ['{"arrayValue":{}}', '[]'],
    ['{"kvlistValue":{}}', '{}'],
    [
      array(double('1'), double('-0.0'), double('5e-324'), '{"boolValue":true}', '{"bytesValue":"AQID"}', '{}'),
      '[1,-0,5e-324,true,"AQID",null]',
    ],
    [array('{"bytesValue":""}'), '[null]'],
    [array(array(), map({})), '[[],{}]'],
    [
      map({
        z: text('<&>\u2028 \u2029 \u0001 \b \f \u007f é 😀'),
        'a<b': double('1e21'),
        i: '{"intValue":"9007199254740993"}',
      }),
      '{"a<b":1e+21,"i":9007199254740993,"z":"<&>\\u2028 \\u2029 \\u0001 \\b \\f \u007f é 😀"}',
    ],
    [map({ '😀': double('1'), '\uffee': double('2') }), '{"\uffee":2,"😀":1}'],
    [array(double('"NaN"'), double('1')), ''],
    [map({ a: array(double('"Infinity"')), b: text('x') }), ''],
  ])('of %s is %j', (json, expected) => {
    expect(anyValueToText(fromJson(json))).toBe(expected);
  });

  it('keeps the last value of a key that comes twice in a map', () => {
    const entries = [1, 2].map((value) => `{"key":"a","value":{"intValue":${value}}}`);
    expect(anyValueToText(fromJson(`{"kvlistValue":{"values":[${entries.join(',')}]}}`))).toBe('{"a":2}');
  });
});

it('reads the first attribute of several that has the wanted type', () => {
  const attributes = new Map<string, AnyValue>([
    ['empty', ''],
    ['flag', true],
    ['name', 'shop'],
    ['status', 503],
  ]);
  expect(textOf(attributes, 'missing', 'empty', 'flag', 'status', 'name')).toBe('shop');
  expect(textOf(attributes, 'missing', 'status')).toBeUndefined();
  expect(numberOf(attributes, 'missing', 'name', 'status')).toBe(503);
  expect(numberOf(attributes, 'name')).toBeUndefined();
});

it('reads the nested values that it wrote', () => {
  const value: AnyValue = new Map<string, AnyValue>([
    ['list', [1, 'a', null, [true], new Map([['deep', 2n ** 60n]])]],
    ['bytes', Uint8Array.of(0, 255)],
    ['empty', new Map()],
  ]);
  const writer = new WireWriter();
  writeKeyValue(writer, 1, 'key', value);
  const reader = new WireReader(writer.finish());
  reader.tag();
  const target = new Map<string, AnyValue>();
  readKeyValue(reader.message(), target);
  expect(target).toEqual(new Map([['key', value]]));
});

it('reads what it wrote, whole numbers as integers', () => {
  fc.assert(
    fc.property(fc.string(), fc.oneof(fc.string(), fc.boolean(), fc.double(), fc.maxSafeInteger()), (key, value) => {
      const writer = new WireWriter();
      writeKeyValue(writer, 1, key, value);
      const reader = new WireReader(writer.finish());
      reader.tag();
      const target = new Map<string, AnyValue>();
      readKeyValue(reader.message(), target);
      expect(reader.done).toBe(true);
      // An integer has no negative zero.
      expect([...target]).toEqual([[key, Object.is(value, -0) ? 0 : value]]);
    }),
  );
});

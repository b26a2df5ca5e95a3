/** Compares the reader with one that is built on `JSON.parse`, for requests with any content. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signal } from '../../component.ts';
import { inspectRequest } from '../inspect-request.ts';
import { MalformedError } from '../malformed-error.ts';
import { isMessage, messages, requestMessages, type Field, type Scalar } from '../schema.ts';
import { protobufFromJson } from './protobuf-from-json.ts';
import { protobufFromParsedJson } from '../../../../tests/support/otlp/parsed-json.ts';

const SIGNALS = ['traces', 'metrics', 'logs'] as const;

/** Pieces of JSON text. Numbers and texts have every form that JSON allows. */
const integers = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
  fc.constantFrom('0', '-0', '1.0', '1e3', '25E-1', '18446744073709551615', '-9223372036854775808', '1e400', '0.1e1'),
  fc.constantFrom('9007199254740993', `1${'0'.repeat(40)}`, '123456789012345678', '12345678901234567890.5', '1E+2'),
);
const doubles = fc.oneof(integers, fc.double({ noNaN: true, noDefaultInfinity: true }).map(String));
const characters = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => JSON.stringify(text).slice(1, -1)),
  fc.constantFrom(
    '\\n',
    '\\u00e4',
    '\\ud83d\\ude00',
    '\\ud83d',
    '\\ude00x',
    '\\/',
    '\\"',
    '\\ud83d\\u0041',
    'ü',
    '\u007F',
  ),
  fc.constant('long '.repeat(40)),
);
const texts = fc.array(characters, { maxLength: 4 }).map((parts) => `"${parts.join('')}"`);
const ids = fc.constantFrom(
  '""',
  `"${'0aF9'.repeat(8)}"`,
  `"${'b'.repeat(16)}"`,
  '"xyz"',
  `"\\u0030${'0'.repeat(31)}"`,
);
const base64 = fc.oneof(
  fc.base64String().map((text) => `"${text}"`),
  fc.constantFrom('"AQ"', '"_-8="', '"A"', '"AA=A"', '"+\\/8"'),
);
const spaces = fc.constantFrom('', '', '', ' ', '\n\t', '  \r\n');
const anything = fc.constantFrom(
  'null',
  'true',
  '{}',
  '[]',
  '7',
  '"a"',
  '[null]',
  '{"a":[1,{"b":"c"}]}',
  '-1.5e-7',
  '""',
);

const scalars: Readonly<Record<Scalar, fc.Arbitrary<string>>> = {
  string: texts,
  bytes: base64,
  trace_id: ids,
  span_id: ids,
  bool: fc.constantFrom('true', 'false'),
  uint32: quoted(integers),
  sint32: quoted(integers),
  int64: quoted(integers),
  uint64: quoted(integers),
  fixed32: quoted(integers),
  fixed64: quoted(integers),
  sfixed64: quoted(integers),
  double: fc.oneof(quoted(doubles), fc.constantFrom('"NaN"', '"Infinity"', '"-Infinity"', '"1."', '".5"', '" 1"')),
};

function quoted(numbers: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    numbers,
    fc.integer({ min: 0, max: 1000 }).map(String),
    numbers.map((text) => `"${text}"`),
  );
}

/** JSON of a message with some of its fields, mostly with values of their types, up to this depth. */
function messageText(name: string, depth: number): fc.Arbitrary<string> {
  const known = Object.entries(messages.get(name) ?? {}).map(([key, field]) =>
    fc.tuple(fc.constantFrom(key, camelCase(key), escaped(key)), valueText(field, depth)),
  );
  const unknown = fc.tuple(fc.constantFrom('later', '', '0', '__proto__', 'Name'), anything);
  const members = fc
    .shuffledSubarray([...known, unknown], { maxLength: Math.min(6, known.length + 1) })
    .chain((chosen) => fc.tuple(...chosen));
  return fc.tuple(members, spaces, spaces).map(([pairs, before, after]) => {
    const all = pairs.map(([key, value]) => `${before}"${key}"${after}:${before}${value}${after}`);
    return `{${all.join(',')}${before}}`;
  });
}

function valueText(field: Field, depth: number): fc.Arbitrary<string> {
  const { type } = field;
  const one = isMessage(type)
    ? depth === 0
      ? fc.constant('{}')
      : fc.constant(null).chain(() => messageText(type.message, depth - 1))
    : typeof type === 'string'
      ? scalars[type]
      : fc.constantFrom(...type.values.map((value) => `"${value}"`), '1', '"2"', '"CLIENT"', '-1', '3000000000');
  const right = field.repeated ? fc.array(one, { maxLength: 3 }).map((values) => `[${values.join(', ')}]`) : one;
  return fc.oneof({ arbitrary: right, weight: 30 }, { arbitrary: anything, weight: 1 });
}

function camelCase(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function escaped(name: string): string {
  return `\\u${(name.codePointAt(0) as number).toString(16).padStart(4, '0')}${name.slice(1)}`;
}

const request = (signal: Signal): fc.Arbitrary<string> => messageText(requestMessages[signal], 9);

/** The bytes in hexadecimal digits, or the refusal. */
function outcome(read: typeof protobufFromJson, signal: Signal, json: Uint8Array): string {
  try {
    return Buffer.from(read(signal, json)).toString('hex');
  } catch (error) {
    if (error instanceof MalformedError) return error.message;
    throw error;
  }
}

describe.each(SIGNALS)('%s', (signal) => {
  it('have the same bytes, or the same refusal', () => {
    const counts = { read: 0, refused: 0 };
    fc.assert(
      fc.property(request(signal), (text) => {
        const json = Buffer.from(text);
        const expected = outcome(protobufFromParsedJson, signal, json);
        expect(outcome(protobufFromJson, signal, json)).toBe(expected);
        counts[expected.includes(' ') ? 'refused' : 'read']++;
      }),
      { numRuns: 1000 },
    );
    expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(50);
  });

  it('that are damaged have the same bytes, or are refused by both', () => {
    const bytes = fc.constantFrom(...Buffer.from('{}[]",:\\-.0 \n'), 0, 0x1f, 0x80, 0xc3, 0xe2, 0xf0, 0xff);
    fc.assert(
      fc.property(request(signal), fc.nat(), bytes, fc.boolean(), (text, at, byte, isCut) => {
        const json = Buffer.from(text);
        json[at % json.length] = byte;
        const damaged = isCut ? json.subarray(0, at % json.length) : json;
        const expected = outcome(protobufFromParsedJson, signal, damaged);
        const actual = outcome(protobufFromJson, signal, damaged);
        if (expected.includes(' ')) expect(actual).toContain(' ');
        else expect(actual).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });
});

/** `toBe` of two texts would print megabytes. */
function expectSame(json: Uint8Array): void {
  const [read, parsed] = [protobufFromJson('traces', json), protobufFromParsedJson('traces', json)];
  expect(Buffer.compare(read, parsed)).toBe(0);
}

function body(text: string): Buffer {
  return Buffer.from(`{"resourceSpans":[{"schemaUrl":"${text}"}]}`);
}

describe('texts of any length', () => {
  it.each([
    ['ASCII', 'a'],
    ['two bytes', 'ä'],
    ['three bytes', '€'],
    ['four bytes', '😀'],
    ['escapes', String.raw`a\n`],
    ['pairs of escapes', String.raw`\ud83d\ude00`],
  ])('have the same bytes: %s', (_, unit) => {
    for (const count of [1, 65_530, 65_534, 65_535, 65_536, 65_537, 200_000]) {
      for (const prefix of ['', 'x', 'xx', 'xxx']) {
        const json = body(prefix + unit.repeat(Math.ceil(count / unit.length)));
        expectSame(json);
      }
    }
  });

  it('have U+FFFD for bytes that are not UTF-8, wherever they are', () => {
    const invalid = [
      [0x80],
      [0xc3],
      [0xe2, 0x82],
      [0xf0, 0x9f, 0x98],
      [0xff, 0x80, 0x80, 0x80, 0x80],
      [0xed, 0xa0, 0x80],
    ];
    for (const bytes of invalid) {
      for (const length of [0, 65_520, 65_533, 65_534, 65_535, 65_536]) {
        const json = Buffer.concat([body('#'), Buffer.alloc(0)])
          .toString('latin1')
          .replace('#', 'x'.repeat(length) + '#');
        const [before = '', after = ''] = json.split('#');
        const whole = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
        expectSame(whole);
      }
    }
  });

  it('may be base64', () => {
    for (const length of [0, 1, 2, 3, 65_536, 65_537, 300_000]) {
      const value = Buffer.alloc(length, 'siphon').toString('base64');
      const json = Buffer.from(
        `{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":{"bytesValue":"${value}"}}]}}]}`,
      );
      expectSame(json);
    }
  });
});

describe('what JSON.parse accepts and the reader does not', () => {
  it.each([
    ['a long run of white space', `{${' '.repeat(70_000)}}`, 'too much white space'],
    ['a long name', `{"${'a'.repeat(70_000)}":1}`, 'a name is too long'],
    ['a long number', `{"a":${'1'.repeat(5000)}}`, 'a number with more than 4096 characters'],
    ['deep nesting', `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 'values are nested deeper than 10000'],
  ])('is %s', (_, json, message) => {
    expect(() => protobufFromJson('traces', Buffer.from(json))).toThrow(message);
  });

  it('adds up the values of a name that appears twice', () => {
    const json = Buffer.from('{"resourceSpans":[{"scopeSpans":[{"spans":[{}],"spans":[{},{}]}]}]}');
    expect(inspectRequest('traces', protobufFromJson('traces', json))).toBe(3);
  });
});

import type { Signal } from '../../../src/engine/component.ts';
import { WireWriter } from '../../../src/engine/otlp/wire-writer.ts';

/** Bodies that no schema describes, written as text: `traces json raw brackets`. */
export interface RawShape {
  readonly signal: Signal;
  readonly encoding: 'protobuf' | 'json';
  readonly body: (sizeBytes: number) => Uint8Array;
}

/** `start`, then `unit` as often as fits, then `end`. */
const json = (start: string, unit: string, end: string, signal: Signal = 'traces'): RawShape => ({
  signal,
  encoding: 'json',
  body: (sizeBytes) => Buffer.from(`${start}${unit.repeat(sizeBytes / Buffer.byteLength(unit))}${end}`),
});

const bytes = (start: readonly number[], unit: readonly number[], signal: Signal = 'traces'): RawShape => ({
  signal,
  encoding: 'protobuf',
  body: (sizeBytes) => Buffer.concat([Buffer.from(start), Buffer.alloc(sizeBytes, Buffer.from(unit))]),
});

const written = (signal: Signal, write: (writer: WireWriter, sizeBytes: number) => void): RawShape => ({
  signal,
  encoding: 'protobuf',
  body: (sizeBytes) => {
    const writer = new WireWriter(sizeBytes);
    write(writer, sizeBytes);
    return writer.finish();
  },
});

const TEXT = '{"resourceSpans":[{"schemaUrl":"';
const TEXT_END = '"}]}';
const POINT = '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","histogram":{"dataPoints":[{"count":1,';
const POINT_END = '}]}}]}]}]}';
const VALUE = '{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":{"arrayValue":{"values":[';
const VALUE_END = ']}}}]}}]}';
const NESTED = '{"arrayValue":{"values":['.repeat(45);
const NESTED_END = ']}}'.repeat(45);

/** A message that is nested as deep as is allowed, with this content in the innermost one. */
function nested(writer: WireWriter, depth: number, content: () => void): void {
  if (depth === 0) content();
  else writer.messageField(depth % 2 === 1 ? 1 : 5, () => nested(writer, depth - 1, content));
}

function histogramPoint(writer: WireWriter, content: () => void): void {
  const metric = (): void => {
    writer.stringField(1, 'm');
    writer.messageField(9, () => writer.messageField(1, content));
  };
  writer.messageField(1, () => writer.messageField(2, () => writer.messageField(2, metric)));
}

export const rawShapes: Readonly<Record<string, RawShape>> = {
  brackets: json('', '[', ''),
  braces: json('', '{"a":', ''),
  'brackets in an unknown field': json('{"a":', '[', ''),
  'closed brackets in an unknown field': json(`{"a":${'['.repeat(9000)}`, '[],', `0${']'.repeat(9000)}}`),
  'empty arrays in an unknown field': json('{"a":[', '[],', '[]]}'),
  'empty objects in an unknown field': json('{"a":[', '{},', '{}]}'),
  'nulls in an unknown field': json('{"a":[', 'null,', 'null]}'),
  'numbers in an unknown field': json('{"a":[', '1,', '1]}'),
  'long numbers in an unknown field': json('{"a":[', `${'1'.repeat(4000)},`, '1]}'),
  'one number': json('{"a":', '1', '}'),
  names: json('{', '"a":0,', '"b":0}'),
  'white space': json('{', ' ', '}'),
  'white space between tokens': json('{"a":[', `0,${' '.repeat(60_000)}`, '0]}'),
  'a text without an end': json('{"a":"', 'a', ''),
  'a known text without an end': json(TEXT, 'a', ''),
  'a known text': json(TEXT, 'a', TEXT_END),
  'a known text in other letters': json(TEXT, 'ä€', TEXT_END),
  'a known text with escapes': json(TEXT, String.raw`\n`, TEXT_END),
  'a known text with unicode escapes': json(TEXT, String.raw`\ud83d\ude00`, TEXT_END),
  'a known text with half pairs': json(TEXT, String.raw`\ud83d`, TEXT_END),
  'an unknown text with escapes': json('{"a":"', String.raw`\u0000`, '"}'),
  'a name with escapes': json('{"', String.raw`\u0061`, '":0}'),
  'text that is not UTF-8': {
    signal: 'traces',
    encoding: 'json',
    body: (sizeBytes) => Buffer.concat([Buffer.from(TEXT), Buffer.alloc(sizeBytes, 0xc3), Buffer.from(TEXT_END)]),
  },
  'short texts with escapes': json('{"resourceSpans":[', String.raw`{"schemaUrl":"\n"},`, '{}]}'),
  'packed doubles': json(`${POINT}"explicitBounds":[`, '1,', `1]${POINT_END}`, 'metrics'),
  'packed integers': json(`${POINT}"bucketCounts":[`, '1,', `1]${POINT_END}`, 'metrics'),
  'packed integers as texts': json(`${POINT}"bucketCounts":[`, '"1",', `1]${POINT_END}`, 'metrics'),
  'values in an attribute': json(VALUE, '{},', `{}${VALUE_END}`),
  'values in a nested attribute': json(VALUE + NESTED, '{},', `{}${NESTED_END}${VALUE_END}`),
  'a text in a nested attribute': json(`${VALUE}${NESTED}{"stringValue":"`, 'a', `"}${NESTED_END}${VALUE_END}`),
  'nested attributes': json(VALUE, `${NESTED}${NESTED_END},`, `{}${VALUE_END}`),
  'base64 in an attribute': json(`${VALUE}{"bytesValue":"`, 'AAAA', `"}${VALUE_END}`),
  zeros: bytes([], [0]),
  'unknown numbers': bytes([], [0x78, 0]),
  'unknown bytes': bytes([], [0x7a, 0]),
  'long tags': bytes([], [0xf8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0]),
  'a nested message': written('traces', (writer, size) => {
    writer.messageField(1, () => {
      writer.messageField(1, () => {
        writer.messageField(1, () => {
          writer.messageField(2, () => nested(writer, 90, () => writer.bytesField(1, Buffer.alloc(size, 'a'))));
        });
      });
    });
  }),
  'a packed block of doubles': written('metrics', (writer, size) => {
    histogramPoint(writer, () => writer.bytesField(7, Buffer.alloc(size - (size % 8), 1)));
  }),
  'numbers that are not packed': written('metrics', (writer, size) => {
    histogramPoint(writer, () => {
      for (let i = 0; i < size / 9; i++) writer.doubleField(7, i);
    });
  }),
  'points with many buckets': written('metrics', (writer, size) => {
    for (let i = 0; i < size / 16_500; i++) {
      histogramPoint(writer, () => {
        writer.fixed64Field(4, 1n);
        writer.bytesField(6, Buffer.alloc(8 * 1025));
        writer.bytesField(7, Buffer.from(new Float64Array(1024).map((_, bound) => bound + i).buffer));
      });
    }
  }),
};

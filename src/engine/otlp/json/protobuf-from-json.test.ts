import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Signal } from '../../component.ts';
import { inspectRequest } from '../inspect-request.ts';
import { MalformedError } from '../malformed-error.ts';
import { protobufFromJson } from './protobuf-from-json.ts';
import { otlpTree } from '../../../../tests/support/otlp/otlp-tree.ts';
import { sdkRequests, type SdkRequest } from '../../../../tests/support/otlp/sdk-requests.ts';

const SIGNALS = ['traces', 'metrics', 'logs'] as const;
let requests: Readonly<Record<Signal, SdkRequest>>;

beforeAll(async () => {
  requests = await sdkRequests();
});

it.each(SIGNALS)('converts %s to the same content that the SDK sends as protobuf', (signal) => {
  const { json, protobuf } = requests[signal];
  expect(otlpTree(signal, protobufFromJson(signal, json))).toEqual(otlpTree(signal, protobuf));
});

it.each(SIGNALS)('understands %s with the names of the .proto files', (signal) => {
  const { json, protobuf } = requests[signal];
  const snake = Buffer.from(json)
    .toString()
    .replaceAll(/"([a-zA-Z]+)":/g, (key) => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  expect(otlpTree(signal, protobufFromJson(signal, Buffer.from(snake)))).toEqual(otlpTree(signal, protobuf));
});

/** The bytes of a request of one span with this content. */
const span = (content: string): string => {
  const request = `{"resourceSpans":[{"scopeSpans":[{"spans":[{${content}}]}]}]}`;
  return Buffer.from(protobufFromJson('traces', Buffer.from(request))).toString('hex');
};

describe('leniency', () => {
  it.each([
    [
      'integers as text and as numbers',
      '"startTimeUnixNano":"1795465030946000001"',
      '"startTimeUnixNano":1795465030946000001',
    ],
    ['enums as names and as numbers', '"kind":"SPAN_KIND_CLIENT"', '"kind":3'],
    ['null for what is absent', '"name":"a","status":null,"attributes":null', '"name":"a"'],
    ['unknown fields', '"name":"a","later":{"x":[1,{}]}', '"name":"a"'],
    [
      'base64 with and without padding',
      '"attributes":[{"value":{"bytesValue":"AQ=="}}]',
      '"attributes":[{"value":{"bytesValue":"AQ"}}]',
    ],
    ['ids in either case', `"traceId":"${'aB'.repeat(16)}"`, `"traceId":"${'Ab'.repeat(16)}"`],
  ])('takes %s', (_, one, other) => {
    expect(span(one)).toBe(span(other));
  });
});

describe('refusals', () => {
  it.each([
    ['[]', 'the request must be an object'],
    ['{"resourceSpans":{}}', 'resourceSpans must be an array'],
    ['{"resourceSpans":[null]}', 'resourceSpans[0] must be an object'],
    ['{', 'the body is not JSON'],
    ['', 'the body is not JSON'],
  ])('refuses %s', (json, message) => {
    expect(() => protobufFromJson('traces', Buffer.from(json))).toThrow(MalformedError);
    expect(() => protobufFromJson('traces', Buffer.from(json))).toThrow(message);
  });

  it.each([
    ['"traceId":"abc"', 'traceId must be 32 hexadecimal digits'],
    ['"spanId":"zz34567812345678"', 'spanId must be 16 hexadecimal digits'],
    ['"name":7', 'name must be text'],
    ['"kind":"CLIENT"', 'kind must be a number or one of'],
    ['"kind":1.5', 'kind must be an integer'],
    ['"droppedAttributesCount":-1', 'droppedAttributesCount must lie between 0 and 4294967295'],
    ['"startTimeUnixNano":"18446744073709551616"', 'startTimeUnixNano must lie between'],
    ['"attributes":[{"value":{"boolValue":1}}]', 'attributes[0].value.boolValue must be true or false'],
    ['"attributes":[{"value":{"doubleValue":"x"}}]', 'attributes[0].value.doubleValue must be a number'],
    ['"attributes":[{"value":{"bytesValue":"*"}}]', 'attributes[0].value.bytesValue must be base64'],
  ])('refuses a span with %s', (content, message) => {
    expect(() => span(content)).toThrow(`resourceSpans[0].scopeSpans[0].spans[0].${message}`);
  });

  it.each([101, 5000, 100_000])('refuses values nested %i deep', (depth) => {
    const value = '{"arrayValue":{"values":['.repeat(depth) + ']}}'.repeat(depth);
    expect(() => span(`"attributes":[{"value":${value}}]`)).toThrow(/nested deeper|not JSON/);
  });
});

it('returns bytes that pass the framing check, or a MalformedError, for any JSON', () => {
  const names = ['resourceSpans', 'scopeSpans', 'spans', 'traceId', 'attributes', 'key', 'value', 'arrayValue', 'kind'];
  const tree = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 8 },
      fc.constantFrom(null, 1, -1.5, 'a', '', true, '0'.repeat(32)),
      tie('array'),
      tie('object'),
    ),
    array: fc.array(tie('value'), { maxLength: 3 }),
    object: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 4 }),
  }));
  fc.assert(
    fc.property(tree.object, (value) => {
      try {
        inspectRequest('traces', protobufFromJson('traces', Buffer.from(JSON.stringify(value))));
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedError);
        expect((error as Error).message).not.toContain('byte');
      }
    }),
    { numRuns: 2000 },
  );
});

import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Signal } from '../component.ts';
import { inspectRequest, MAX_DEPTH } from './inspect-request.ts';
import { MalformedError } from './malformed-error.ts';
import { WireWriter } from './wire-writer.ts';
import { gaugeBatch, spansBatch } from '../../../tests/support/components/batches.ts';
import { otlpTree } from '../../../tests/support/otlp/otlp-tree.ts';
import { sdkRequests, type SdkRequest } from '../../../tests/support/otlp/sdk-requests.ts';
import { SDK_ITEMS } from '../../../tests/support/otlp/sdk-telemetry.ts';

const SIGNALS = ['traces', 'metrics', 'logs'] as const;
let requests: Readonly<Record<Signal, SdkRequest>>;

beforeAll(async () => {
  requests = await sdkRequests();
});

/** The number of items, or undefined for a refusal. What is taken must be readable to the last byte. */
function inspect(signal: Signal, bytes: Uint8Array): number | undefined {
  let items: number;
  try {
    items = inspectRequest(signal, bytes);
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
  otlpTree(signal, bytes);
  return items;
}

describe('counting', () => {
  it.each(SIGNALS)('counts the %s of the SDK', (signal) => {
    expect(inspect(signal, requests[signal].protobuf)).toBe(SDK_ITEMS[signal]);
  });

  it('counts items over all resources, and none in nothing', () => {
    const chunks = [spansBatch(['a', 'b']), spansBatch([]), spansBatch(['c'])].flatMap((batch) => batch.chunks);
    expect(inspect('traces', Buffer.concat(chunks))).toBe(3);
    expect(inspect('metrics', gaugeBatch([1, 2, 3, 4]).chunks[0] as Uint8Array)).toBe(4);
    expect(inspect('logs', new Uint8Array())).toBe(0);
  });
});

describe.each(SIGNALS)('damaged %s', (signal) => {
  it('are refused or lose items when they are cut at any byte', () => {
    const { protobuf } = requests[signal];
    for (let length = 0; length < protobuf.length; length++) {
      expect(inspect(signal, protobuf.subarray(0, length)) ?? 0).toBeLessThan(SDK_ITEMS[signal]);
    }
  });

  it('are refused or stay readable when one bit is turned', () => {
    const { protobuf } = requests[signal];
    for (let bit = 0; bit < protobuf.length * 8; bit += 3) {
      const turned = protobuf.slice();
      turned[bit >> 3] = (turned[bit >> 3] as number) ^ (1 << (bit & 7));
      inspect(signal, turned);
    }
  });

  it('are refused or readable when they are bytes at random', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void inspect(signal, bytes)));
  });
});

/** A request of one span, whose content `write` writes. */
function span(write: (writer: WireWriter) => void): Uint8Array {
  const writer = new WireWriter();
  writer.messageField(1, () => writer.messageField(2, () => writer.messageField(2, write)));
  return writer.finish();
}

const SPAN = 'resource_spans.scope_spans.spans';

describe('what is checked', () => {
  it.each([
    [
      'a trace id of 15 bytes',
      span((w) => w.bytesField(1, new Uint8Array(15))),
      `${SPAN}.trace_id has 15 bytes, must have 16`,
    ],
    [
      'a span id of 16 bytes',
      span((w) => w.bytesField(2, new Uint8Array(16))),
      `${SPAN}.span_id has 16 bytes, must have 8`,
    ],
    ['a name that is a number', span((w) => w.varintField(5, 1)), `${SPAN}.name has the wire type 0`],
    ['the field number 0', span((w) => w.varintField(0, 1)), `${SPAN}.field 0 has the field number 0`],
    [
      'a field number of 60 bits',
      Uint8Array.of(0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1),
      'has a field number beyond those of protobuf (byte 9)',
    ],
    [
      'a group',
      span((w) => w.varintField(40, 1)).map((byte, i, all) => (i === all.length - 3 ? byte | 3 : byte)),
      'field 40 has the wire type 3',
    ],
    [
      'a length beyond the message',
      Uint8Array.of(10, 9, 18, 1),
      'resource_spans claims 9 bytes where 2 are left (byte 2)',
    ],
    [
      'an endless varint',
      Uint8Array.of(8 * 9, ...Array<number>(11).fill(0xff), 1),
      'has a varint longer than 10 bytes',
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => inspectRequest('traces', bytes)).toThrow(MalformedError);
    expect(() => inspectRequest('traces', bytes)).toThrow(message);
  });

  it('takes empty ids, unknown fields of every wire type, and attributes of every size', () => {
    const bytes = span((writer) => {
      writer.bytesField(1, new Uint8Array());
      writer.bytesField(4, new Uint8Array());
      writer.varintField(30, 2 ** 53);
      writer.fixed64Field(31, 1n);
      writer.fixed32Field(32, 1);
      writer.bytesField(2 ** 28, new Uint8Array(300));
      for (const length of [0, 1, 118, 119, 120, 121, 127, 128, 129, 300]) {
        writer.messageField(9, () => {
          writer.stringField(1, 'k'.repeat(length));
          writer.messageField(2, () => writer.stringField(1, 'v'.repeat(length)));
        });
      }
    });
    expect(inspect('traces', bytes)).toBe(1);
  });

  const nested = (depth: number): Uint8Array =>
    span((writer) => {
      const nest = (left: number): void => {
        if (left > 0) writer.messageField(5, () => writer.messageField(1, () => nest(left - 1)));
      };
      writer.messageField(9, () => writer.messageField(2, () => nest(depth)));
    });

  it('refuses messages nested deeper than protobuf allows', () => {
    expect(inspect('traces', nested(47))).toBe(1);
    expect(() => inspectRequest('traces', nested(48))).toThrow(`is nested deeper than ${MAX_DEPTH} messages`);
    expect(() => inspectRequest('traces', nested(1000))).toThrow(MalformedError);
  });
});

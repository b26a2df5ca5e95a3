import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Signal } from '../component.ts';
import { atOnce } from '../time-slice.ts';
import { inspectRequest, inspectSteps, MAX_DEPTH } from './inspect-request.ts';
import { MalformedError } from './malformed-error.ts';
import { TooManyMessagesError } from './too-many-messages-error.ts';
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

const count = (bytes: Uint8Array, perRequest: number, perItem = perRequest): number =>
  atOnce(inspectSteps('traces', bytes, { perRequest, perItem }));

/** Many attributes: short and long texts, numbers, and one without a value. */
const attributes = (repetitions: number): Uint8Array =>
  span((writer) => {
    for (let i = 0; i < repetitions; i++) {
      for (const length of [3, 200]) {
        writer.messageField(9, () => {
          writer.stringField(1, 'key');
          writer.messageField(2, () => writer.stringField(1, 'v'.repeat(length)));
        });
      }
      writer.messageField(9, () => writer.messageField(2, () => writer.int64Field(3, 1n)));
      writer.messageField(9, () => writer.stringField(1, 'key'));
    }
  });

describe('limits', () => {
  it.each([1, 1000])('count an attribute with its value as one message (%i times four)', (repetitions) => {
    const bytes = attributes(repetitions);
    const messages = 3 + 4 * repetitions;
    expect(count(bytes, messages)).toBe(1);
    expect(() => count(bytes, messages - 1)).toThrow(TooManyMessagesError);
    expect(() => count(bytes, messages - 1)).toThrow(
      `the request contains more than the ${messages - 1} messages that max_messages_per_request allows`,
    );
  });

  it.each([1, 1000])('apply to one item too (%i times four)', (repetitions) => {
    const bytes = attributes(repetitions);
    expect(count(bytes, 1e6, 4 * repetitions)).toBe(1);
    expect(() => count(bytes, 1e6, 4 * repetitions - 1)).toThrow(
      `${SPAN} contains more than the ${4 * repetitions - 1} messages that max_messages_per_item allows`,
    );
  });

  it('count each element of nested values, and values that follow each other in one attribute', () => {
    const nested = span((w) =>
      w.messageField(9, () =>
        w.messageField(2, () => {
          w.messageField(5, () => {
            for (let i = 0; i < 100; i++) w.messageField(1, () => {});
          });
        }),
      ),
    );
    const repeated = span((w) =>
      w.messageField(9, () => {
        for (let i = 0; i < 100; i++) w.messageField(2, () => {});
      }),
    );
    expect(count(nested, 105)).toBe(1);
    expect(() => count(nested, 104)).toThrow(TooManyMessagesError);
    expect(count(repeated, 103)).toBe(1);
    expect(() => count(repeated, 102)).toThrow(TooManyMessagesError);
  });

  it('allow 100,000 points with eight attributes', () => {
    const writer = new WireWriter();
    const point = new WireWriter();
    for (let i = 0; i < 8; i++) {
      point.messageField(7, () => {
        point.stringField(1, `key${i}`);
        point.messageField(2, () => point.int64Field(3, 1n));
      });
    }
    writer.messageField(1, () =>
      writer.messageField(2, () =>
        writer.messageField(2, () =>
          writer.messageField(5, () => {
            for (let i = 0; i < 100_000; i++) writer.bytesField(1, point.written);
          }),
        ),
      ),
    );
    expect(inspectRequest('metrics', writer.finish())).toBe(100_000);
  });

  it('allow a bounded number of fields in a message, and of packed numbers', () => {
    expect(() =>
      inspect(
        'traces',
        span((w) => w.append(new Uint8Array(200_000).fill(0x50))),
      ),
    ).toThrow(TooManyMessagesError);
    const buckets = new WireWriter();
    const point = (): void => buckets.messageField(8, () => buckets.bytesField(2, new Uint8Array(1_100_000)));
    const metric = (): void => buckets.messageField(10, () => buckets.messageField(1, point));
    buckets.messageField(1, () => buckets.messageField(2, () => buckets.messageField(2, metric)));
    expect(() => inspect('metrics', buckets.finish())).toThrow('has 1100000 bytes, may have 1048576');
  });

  it('let other work run after every few thousand fields', () => {
    const request = new Uint8Array(2_000_000);
    for (let i = 0; i < request.length; i += 2) request[i] = 10;
    const steps = inspectSteps('traces', request);
    let pauses = 0;
    while (steps.next().done !== true) pauses++;
    expect(pauses).toBeGreaterThan(25);
  });
});

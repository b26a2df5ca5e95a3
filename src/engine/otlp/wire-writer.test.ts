import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** Writes with `write` between two other fields, and reads the middle one with `read`. Small buffers make it grow. */
function roundTrip<T>(write: (writer: WireWriter) => void, read: (reader: WireReader) => T): T {
  const writer = new WireWriter(1);
  writer.varintField(1, 300);
  write(writer);
  writer.stringField(3, 'end');
  const reader = new WireReader(writer.finish());
  expect([reader.tag() >> 3, reader.varint(), reader.tag() >> 3]).toEqual([1, 300, 2]);
  const value = read(reader);
  expect([reader.tag() >> 3, reader.string(), reader.done]).toEqual([3, 'end', true]);
  return value;
}

const textRoundTrip = (text: string): string =>
  roundTrip(
    (writer) => writer.stringField(2, text),
    (reader) => reader.string(),
  );

describe('stringField', () => {
  // The length takes one byte more than the number of characters suggests, so the text has to move.
  it.each([42, 43, 63, 64, 126, 127, 128, 5461, 5462, 8191, 8192, 16_383, 16_384])(
    'keeps %i characters of one, two, three and four bytes',
    (length) => {
      for (const character of ['a', 'é', '€', '😀']) {
        const text = character.repeat(length);
        expect(textRoundTrip(text)).toBe(text);
        expect(textRoundTrip(`a${text}`)).toBe(`a${text}`);
      }
    },
  );

  it('keeps a byte order mark, which is a character of a label like any other', () => {
    for (const text of ['\ufeff', '\ufeffa', '\ufeff\ufeffa', 'a\ufeff']) expect(textRoundTrip(text)).toBe(text);
  });

  it('keeps any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        expect(textRoundTrip(text)).toBe(text);
      }),
    );
  });

  it('writes half of a surrogate pair as the replacement character', () => {
    expect(textRoundTrip('a\ud83d')).toBe('a\ufffd');
  });
});

describe('hexField', () => {
  it('writes the bytes of digits in either case', () => {
    const digits = '00ff0123456789abcdefABCDEF';
    const bytes = roundTrip(
      (writer) => writer.hexField(2, digits),
      (reader) => reader.bytes().slice(),
    );
    expect(Buffer.from(bytes).toString('hex')).toBe(digits.toLowerCase());
  });
});

describe('timeField', () => {
  it('is exact to the nanosecond until the year 2115', () => {
    fc.assert(
      fc.property(fc.nat(4_600_000_000), fc.nat(999_999_999), (seconds, nanoseconds) => {
        const read = roundTrip(
          (writer) => writer.timeField(2, seconds, nanoseconds),
          (reader) => reader.fixed64(),
        );
        expect(read).toBe(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds));
      }),
    );
  });
});

describe('messageField', () => {
  it.each([0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])('frames %i bytes', (length) => {
    const content = new Uint8Array(length).fill(7);
    const back = roundTrip(
      (writer) => writer.messageField(2, () => writer.bytesField(1, content)),
      (reader) => {
        const inner = reader.message();
        inner.tag();
        const bytes = inner.bytes();
        return inner.done ? bytes : undefined;
      },
    );
    expect(Buffer.compare(back ?? Buffer.from('?'), content)).toBe(0);
  });

  it('frames messages inside messages, whose lengths grow one after another', () => {
    const nest = (writer: WireWriter, depth: number): void => {
      if (depth > 0) writer.messageField(2, () => nest(writer, depth - 1));
      writer.stringField(1, 'x'.repeat(60));
    };
    const depthOf = (reader: WireReader): number => {
      let depth = 0;
      while (!reader.done) {
        const tag = reader.tag();
        if (tag >> 3 === 2) depth = 1 + depthOf(reader.message());
        else reader.skip(tag);
      }
      return depth;
    };
    expect(
      roundTrip(
        (writer) => writer.messageField(2, () => nest(writer, 300)),
        (reader) => depthOf(reader.message()),
      ),
    ).toBe(300);
  });
});

const keepsVarint = (value: number): void => {
  const back = roundTrip(
    (writer) => writer.varintField(2, value),
    (reader) => reader.varint(),
  );
  expect(back).toBe(value);
};

/** The values of a packed field. */
const unpack = <T>(reader: WireReader, read: (inner: WireReader) => T): T[] => {
  const values: T[] = [];
  const inner = reader.message();
  while (!inner.done) values.push(read(inner));
  return values;
};

describe('numbers', () => {
  it('keeps varints up to 2^53', () => {
    for (let power = 0; power <= 53; power++)
      for (const off of [-1, 0, 1]) keepsVarint(Math.min(2 ** power + off, 2 ** 53));
    fc.assert(fc.property(fc.maxSafeNat(), keepsVarint));
  });

  it('keeps every signed and unsigned 64-bit integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(
          roundTrip(
            (writer) => writer.int64Field(2, value),
            (reader) => reader.int64(),
          ),
        ).toBe(value);
        expect(
          roundTrip(
            (writer) => writer.fixed64Field(2, value),
            (reader) => reader.sfixed64(),
          ),
        ).toBe(value);
        expect(
          roundTrip(
            (writer) => writer.fixed64Field(2, BigInt.asUintN(64, value)),
            (reader) => reader.fixed64(),
          ),
        ).toBe(BigInt.asUintN(64, value));
      }),
    );
  });

  it.each([
    [0, [0]],
    [-1, [1]],
    [1, [2]],
    [2 ** 31 - 1, [0xfe, 0xff, 0xff, 0xff, 0x0f]],
    [-(2 ** 31), [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('writes sint32 %i in zigzag', (value, bytes) => {
    const writer = new WireWriter();
    writer.sint32Field(1, value);
    expect([...writer.finish()]).toEqual([8, ...bytes]);
  });

  it('keeps every double, also −0 and NaN, and fixed32', () => {
    fc.assert(
      fc.property(fc.double(), fc.nat({ max: 2 ** 32 - 1 }), (double, integer) => {
        expect(
          roundTrip(
            (writer) => writer.doubleField(2, double),
            (reader) => reader.double(),
          ),
        ).toBe(double);
        expect(
          roundTrip(
            (writer) => writer.fixed32Field(2, integer),
            (reader) => reader.fixed32(),
          ),
        ).toBe(integer);
      }),
    );
  });

  it('keeps packed numbers', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), (doubles, integers) => {
        const write = (writer: WireWriter): void => {
          writer.messageField(2, () => {
            writer.packedDoubleField(1, doubles);
            writer.packedFixed64Field(1, integers);
            writer.packedVarintField(1, integers);
          });
        };
        const lists = roundTrip(write, (reader) => {
          const message = reader.message();
          const next = <T>(read: (inner: WireReader) => T): T[] => (message.tag(), unpack(message, read));
          return [
            next((inner) => inner.double()),
            next((inner) => inner.fixed64()),
            next((inner) => BigInt.asUintN(64, inner.int64())),
          ];
        });
        expect(lists).toEqual([doubles, integers, integers]);
      }),
    );
  });
});

it('forgets what it wrote at reset, and gives copies', () => {
  const writer = new WireWriter();
  writer.stringField(1, 'first');
  const first = writer.finish();
  writer.reset();
  writer.stringField(1, 'other');
  expect(new TextDecoder().decode(first.subarray(2))).toBe('first');
  expect(writer.length).toBe(7);
});

it('reads arbitrary bytes without ever leaving its message or going on for ever', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
      const end = Math.min(cut, bytes.length);
      const reader = new WireReader(bytes, 0, end);
      try {
        while (!reader.done) reader.skip(reader.tag());
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
      expect(reader.position).toBeLessThanOrEqual(end);
    }),
  );
});

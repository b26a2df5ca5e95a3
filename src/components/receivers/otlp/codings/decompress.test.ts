import { constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import * as snappy from 'snappyjs';
import { describe, expect, it } from 'vitest';
import { BodyBudget } from '../body-budget.ts';
import { ALGORITHMS, decompressorOf, decompressorsOf } from './decompress.ts';
import { Rejection } from '../rejection.ts';
import encodings from './stock-encodings.json' with { type: 'json' };

const MAX_BYTES = 20 * 1024 * 1024;
/** Memory without a limit, for a sender that stays. */
const FREE = { reserve: () => Promise.resolve(), throwIfAborted: () => undefined };
const all = decompressorsOf(ALGORITHMS);

async function decompress(encoding: string, body: Uint8Array, maxBytes = MAX_BYTES): Promise<Buffer> {
  const decompressor = decompressorOf(encoding, all);
  if (decompressor === undefined) return Buffer.from(body);
  const limit = { maxBytes, key: 'max_request_body_size' } as const;
  return Buffer.from(await decompressor(body, limit, { owner: all, lease: FREE }));
}

/** The decompressed bytes, or the reason of the rejection. Other errors fail the test. */
async function outcome(encoding: string, body: Uint8Array, maxBytes?: number): Promise<Buffer | string> {
  try {
    return await decompress(encoding, body, maxBytes);
  } catch (error) {
    if (error instanceof Rejection) return error.reason;
    throw error;
  }
}

/** The text that the recorded encodings hold: longer than a chunk of 64 KiB, with runs and near and far copies. */
const recordedText = Buffer.concat(
  Array.from({ length: 3200 }, (_, i) =>
    Buffer.concat([Buffer.from(`series ${i % 7} of the shop `), Buffer.alloc(i % 500 === 0 ? 300 : 0, i & 255)]),
  ),
);
const recorded = Object.entries(encodings).map(([name, base64]) => [name, Buffer.from(base64, 'base64')] as const);
const written = [
  ...recorded,
  ['gzip: by Node', gzipSync(recordedText)],
  ['deflate: by Node', deflateSync(recordedText)],
  ['zstd: by Node', zstdCompressSync(recordedText, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })],
] as const;
const encodingOf = (name: string): string => name.slice(0, name.indexOf(':'));

describe('what other encoders wrote', () => {
  it.each(recorded)('%s is read to the last byte', async (name, body) => {
    expect((await decompress(encodingOf(name), body)).equals(recordedText)).toBe(true);
  });

  it('is read under the name snappy as a framed stream too, which older senders meant by it', async () => {
    const framed = recorded.find(([name]) => name.startsWith('x-snappy-framed'))?.[1] as Buffer;
    expect((await decompress('snappy', framed)).equals(recordedText)).toBe(true);
  });

  it('snappy restores any content', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom(...['a', 'ab', 'series '].map((text) => Buffer.from(text.repeat(50)))),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
        const content = Buffer.concat(pieces);
        const restored = await decompress('snappy', snappy.compress(new Uint8Array(content)));
        expect(restored.equals(content)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('snappy restores 10 MB without blocking the event loop', async () => {
    const words = Array.from({ length: 900_000 }, (_, i) => `v${(i * 7919) % 100_003} `).join('');
    const content = Buffer.from(words);
    const body = snappy.compress(new Uint8Array(content));
    let turns = 0;
    const counter = setInterval(() => turns++, 0);
    const restored = await decompress('snappy', body);
    clearInterval(counter);
    expect(restored.equals(content)).toBe(true);
    expect(turns).toBeGreaterThan(2);
  });
});

describe('what is damaged', () => {
  it.each(written)('%s: no part of it is taken for the whole', async (name, body) => {
    // A stream of frames may end between two of them.
    const ends = name.startsWith('x-snappy-framed') ? wholeChunks(body) : [];
    for (let length = 1; length < body.length; length++) {
      if (ends.includes(length)) continue;
      expect([length, await outcome(encodingOf(name), body.subarray(0, length))]).toEqual([length, 'malformed']);
    }
  });

  it.each(written)('%s: nothing behind its end goes unnoticed', async (name, body) => {
    for (const more of [Buffer.from('more'), Buffer.alloc(1)]) {
      expect(await outcome(encodingOf(name), Buffer.concat([body, more]))).toBe('malformed');
    }
  });

  it.each(written.filter(([name]) => !name.startsWith('snappy:')))(
    '%s: no damaged byte goes unnoticed, for there are checksums',
    async (name, body) => {
      for (let at = 0; at < body.length; at++) {
        const damaged = Buffer.from(body);
        damaged[at] = (body[at] as number) ^ 0x41;
        const result = await outcome(encodingOf(name), damaged);
        if (typeof result !== 'string') expect([at, result.equals(recordedText)]).toEqual([at, true]);
      }
    },
  );

  it.each(ALGORITHMS.filter((name) => name !== ''))(
    '%s: noise is refused or read within the limit',
    async (encoding) => {
      const start = recorded.find(([name]) => encodingOf(name) === encoding)?.[1].subarray(0, 20) ?? Buffer.alloc(0);
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.nat(20), async (noise, kept) => {
          const result = await outcome(encoding, Buffer.concat([start.subarray(0, kept), noise]), 100_000);
          if (typeof result === 'string') expect(['malformed', 'too_large']).toContain(result);
          else expect(result.length).toBeLessThanOrEqual(100_000);
        }),
        { numRuns: 500 },
      );
    },
  );
});

describe('what unfolds too far', () => {
  const bomb = new Uint8Array(50_000_000);

  it.each([
    ['a block of zeros', snappy.compress(bomb)],
    ['a block that claims 4 GB', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1])],
  ])('snappy: %s is refused, and memory stays within the limit', async (_, body) => {
    const before = process.memoryUsage().arrayBuffers;
    expect(await outcome('snappy', body, 1_000_000)).toMatch(/too_large|malformed/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5_000_000);
  });

  it('is taken up to the last byte that is allowed', async () => {
    const body = snappy.compress(new Uint8Array(100_000));
    expect(await outcome('snappy', body, 100_000)).toHaveLength(100_000);
    expect(await outcome('snappy', body, 99_999)).toBe('too_large');
  });
});

describe('compression_algorithms', () => {
  it('takes what it names and nothing else', () => {
    const some = decompressorsOf(['gzip', 'snappy']);
    expect(decompressorOf('GZIP', some)).toBeDefined();
    for (const encoding of ['zstd', 'identity', undefined])
      expect(() => decompressorOf(encoding, some)).toThrow(/use gzip, snappy$/);
  });

  it('means uncompressed requests by an empty name, and by no name at all', () => {
    for (const names of [[''], []]) {
      const none = decompressorsOf(names);
      expect([decompressorOf(undefined, none), decompressorOf('identity', none)]).toEqual([undefined, undefined]);
      expect(() => decompressorOf('gzip', none)).toThrow(Rejection);
    }
  });
});

/** Where each chunk of a framed stream ends. */
function wholeChunks(body: Buffer): number[] {
  const ends = [0];
  while ((ends.at(-1) as number) < body.length) {
    const at = ends.at(-1) as number;
    ends.push(at + 4 + body.readUIntLE(at + 1, 3));
  }
  return ends;
}

it('does not decompress a large body whose sender has left', async () => {
  const body = gzipSync(Buffer.alloc(2_000_000));
  const lease = new BodyBudget(100_000_000).open({ cutOff: () => undefined });
  lease.abort();
  const limit = { maxBytes: MAX_BYTES, key: 'max_request_body_size' } as const;
  const restored = Promise.resolve(decompressorOf('gzip', all)?.(body, limit, { owner: all, lease }));
  await expect(restored).rejects.toThrow('the sender has left');
  expect(await decompress('gzip', body)).toHaveLength(2_000_000);
});

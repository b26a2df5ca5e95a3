import { STEP_BYTES, type ByteOutput } from './byte-output.ts';
import { littleEndian } from './little-endian.ts';
import { xxh32, Xxh32 } from './xxh32.ts';

const MAGIC = 0x184d2204;
const FIRST_SKIPPABLE = 0x184d2a50;
const LAST_SKIPPABLE = 0x184d2a5f;
const WORD_BYTES = 4;
const MAX_BLOCK_BYTES: ReadonlyMap<number, number> = new Map([
  [4, 64 * 1024],
  [5, 256 * 1024],
  [6, 1024 * 1024],
  [7, 4 * 1024 * 1024],
]);
const END_MARK = 0;
/** Added to the size of a block that is not compressed. */
const STORED = 2 ** 31;

/** `Content-Encoding: lz4`: frames, one after another. https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md */
export function* decodeLz4(input: Uint8Array, output: ByteOutput): Generator<undefined> {
  for (let at = 0; at < input.length;) {
    const magic = littleEndian(input, at, WORD_BYTES);
    at += WORD_BYTES;
    if (magic === MAGIC) at = yield* decodeFrame(input, at, output);
    else if (magic >= FIRST_SKIPPABLE && magic <= LAST_SKIPPABLE) at = skipFrame(input, at);
    else throw new Error('no LZ4 frame');
    yield;
  }
}

function skipFrame(input: Uint8Array, at: number): number {
  const end = at + WORD_BYTES + littleEndian(input, at, WORD_BYTES);
  if (end > input.length) throw new Error('unexpected end');
  return end;
}

interface Descriptor {
  readonly independent: boolean;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
  readonly contentBytes: number | undefined;
  readonly maxBlockBytes: number;
  /** Where the first block begins. */
  readonly next: number;
}

function readDescriptor(input: Uint8Array, at: number): Descriptor {
  const flags = littleEndian(input, at, 1);
  if (flags >>> 6 !== 1 || (flags & 2) !== 0) throw new Error('an unknown version of LZ4 frames');
  if ((flags & 1) !== 0) throw new Error('a dictionary is needed');
  const maxBlockBytes = MAX_BLOCK_BYTES.get((littleEndian(input, at + 1, 1) >>> 4) & 7);
  if (maxBlockBytes === undefined) throw new Error('an unknown size of blocks');
  const hasSize = (flags & 8) !== 0;
  const end = at + (hasSize ? 10 : 2);
  const contentBytes = hasSize ? littleEndian(input, at + 2, 8) : undefined;
  if (littleEndian(input, end, 1) !== ((xxh32(input.subarray(at, end)) >>> 8) & 0xff)) {
    throw new Error('a wrong checksum of the header');
  }
  return {
    independent: (flags & 0x20) !== 0,
    blockChecksums: (flags & 0x10) !== 0,
    contentChecksum: (flags & 4) !== 0,
    contentBytes,
    maxBlockBytes,
    next: end + 1,
  };
}

/** Returns where the frame ends. */
function* decodeFrame(input: Uint8Array, from: number, output: ByteOutput): Generator<undefined, number> {
  const descriptor = readDescriptor(input, from);
  const { contentBytes, contentChecksum, next } = descriptor;
  const start = output.length;
  const checksum = new Xxh32();
  let at = next;
  while (littleEndian(input, at, WORD_BYTES) !== END_MARK) {
    at = yield* decodeFramedBlock(input, at, { output, start, descriptor });
    if (contentChecksum) checksum.update(output.from(start));
    yield;
  }
  at += WORD_BYTES;
  if (contentBytes !== undefined && contentBytes !== output.length - start) {
    throw new Error('a frame of another size than it says');
  }
  return contentChecksum ? checkSum(input, at, checksum.digest(output.from(start))) : at;
}

interface Frame {
  readonly output: ByteOutput;
  /** Where its content begins. */
  readonly start: number;
  readonly descriptor: Descriptor;
}

/** Returns where the block ends. */
function* decodeFramedBlock(
  input: Uint8Array,
  from: number,
  { output, start, descriptor }: Frame,
): Generator<undefined, number> {
  const { independent, maxBlockBytes, blockChecksums } = descriptor;
  const size = littleEndian(input, from, WORD_BYTES);
  const begin = from + WORD_BYTES;
  const end = begin + (size % STORED);
  if (end > input.length) throw new Error('unexpected end');
  const block = input.subarray(begin, end);
  const before = output.length;
  if (size >= STORED) output.append(block, 0, block.length);
  else yield* decodeBlock(block, output, { floor: independent ? before : start, maxBytes: maxBlockBytes });
  if (output.length - before > maxBlockBytes) throw new Error('a block that is too large');
  return blockChecksums ? checkSum(input, end, xxh32(block)) : end;
}

function checkSum(input: Uint8Array, at: number, expected: number): number {
  if (littleEndian(input, at, WORD_BYTES) !== expected) throw new Error('a wrong checksum');
  return at + WORD_BYTES;
}

const MIN_COPY_BYTES = 4;
const OFFSET_BYTES = 2;
/** A length of so much goes on in the bytes that follow. */
const LONG = 15;

/** Sequences of literals and a copy, the last without a copy. https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */
function* decodeBlock(
  input: Uint8Array,
  output: ByteOutput,
  { floor, maxBytes }: { floor: number; maxBytes: number },
): Generator<undefined> {
  const start = output.length;
  let pause = start + STEP_BYTES;
  for (let at = 0; at < input.length;) {
    const token = input[at] as number;
    const literals = readLength(input, at + 1, token >>> 4);
    output.append(input, literals.next, literals.length);
    at = literals.next + literals.length;
    if (at === input.length) return;
    const copy = readLength(input, at + OFFSET_BYTES, token & LONG);
    output.repeat(littleEndian(input, at, OFFSET_BYTES), copy.length + MIN_COPY_BYTES, floor);
    at = copy.next;
    if (output.length - start > maxBytes) throw new Error('a block that is too large');
    if (output.length < pause) continue;
    pause = output.length + STEP_BYTES;
    yield;
  }
}

function readLength(input: Uint8Array, at: number, short: number): { length: number; next: number } {
  let length = short;
  let next = at;
  if (short === LONG) {
    for (let byte = 255; byte === 255; next++) {
      byte = littleEndian(input, next, 1);
      length += byte;
    }
  }
  return { length, next };
}

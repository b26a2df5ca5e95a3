import { STEP_BYTES, type ByteOutput } from './byte-output.ts';

/**
 * `Content-Encoding: snappy`: one block. As in the stock Collector, also a framed stream, which its older versions sent
 * under this name.
 */
export function* decodeSnappy(input: Uint8Array, output: ByteOutput): Generator<undefined> {
  if (isFramed(input)) yield* decodeSnappyFrames(input, output);
  else yield* decodeBlock(input, output);
}

const STREAM_IDENTIFIER = Buffer.from([0xff, 6, 0, 0, ...Buffer.from('sNaPpY')]);
const COMPRESSED = 0;
const UNCOMPRESSED = 1;
const FIRST_SKIPPABLE = 0x80;
const IDENTIFIER = 0xff;
const CHECKSUM_BYTES = 4;
const MAX_CHUNK_BYTES = 65_536;

/** `Content-Encoding: x-snappy-framed`. https://github.com/google/snappy/blob/main/framing_format.txt */
export function* decodeSnappyFrames(input: Uint8Array, output: ByteOutput): Generator<undefined> {
  if (!isFramed(input)) throw new Error('no snappy stream');
  for (let at = 0; at < input.length;) {
    if (at + 4 > input.length) throw new Error('unexpected end');
    const type = input[at] as number;
    const start = at + 4;
    at = start + littleEndian(input, at + 1, 3);
    if (at > input.length) throw new Error('unexpected end');
    const chunk = input.subarray(start, at);
    if (type === IDENTIFIER) checkIdentifier(chunk);
    else if (type <= UNCOMPRESSED) yield* decodeChunk(type, chunk, output);
    else if (type < FIRST_SKIPPABLE) throw new Error(`a chunk of the unknown type ${type}`);
    yield;
  }
}

function* decodeChunk(type: number, chunk: Uint8Array, output: ByteOutput): Generator<undefined> {
  if (chunk.length < CHECKSUM_BYTES) throw new Error('unexpected end');
  const start = output.length;
  const content = chunk.subarray(CHECKSUM_BYTES);
  if (type === COMPRESSED) yield* decodeBlock(content, output, MAX_CHUNK_BYTES);
  else output.append(content, 0, content.length);
  if (output.length - start > MAX_CHUNK_BYTES) throw new Error('a chunk of more than 65536 bytes');
  if (masked(crc32c(output.from(start))) !== littleEndian(chunk, 0, CHECKSUM_BYTES))
    throw new Error('a wrong checksum');
}

/** A block is its length, then literals and copies. https://github.com/google/snappy/blob/main/format_description.txt */
function* decodeBlock(input: Uint8Array, output: ByteOutput, maxBytes = 2 ** 32 - 1): Generator<undefined> {
  const floor = output.length;
  const header = readLength(input);
  if (header.length > maxBytes) throw new Error(`a block of more than ${maxBytes} bytes`);
  const end = floor + header.length;
  let pause = floor + STEP_BYTES;
  for (let at = header.next; at < input.length;) {
    at = decodeElement(input, at, { output, floor });
    if (output.length > end) throw new Error('a block that is longer than its header claims');
    if (output.length < pause) continue;
    pause = output.length + STEP_BYTES;
    yield;
  }
  if (output.length !== end) throw new Error('a block that is shorter than its header claims');
}

const LITERAL = 0;
const COPY_1 = 1;
const COPY_2 = 2;
/** From this value on, the tag contains the width of the length instead of the length. */
const LONG_LITERAL = 60;

/** Returns where the next element begins. */
function decodeElement(
  input: Uint8Array,
  at: number,
  { output, floor }: { output: ByteOutput; floor: number },
): number {
  const tag = input[at] as number;
  const value = tag >>> 2;
  const kind = tag & 3;
  if (kind === LITERAL) {
    const width = Math.max(0, value - (LONG_LITERAL - 1));
    const count = (width === 0 ? value : littleEndian(input, at + 1, width)) + 1;
    output.append(input, at + 1 + width, count);
    return at + 1 + width + count;
  }
  if (kind === COPY_1) {
    output.repeat(((tag >>> 5) << 8) | littleEndian(input, at + 1, 1), (value & 7) + 4, floor);
    return at + 2;
  }
  const width = kind === COPY_2 ? 2 : 4;
  output.repeat(littleEndian(input, at + 1, width), value + 1, floor);
  return at + 1 + width;
}

function isFramed(input: Uint8Array): boolean {
  return STREAM_IDENTIFIER.equals(input.subarray(0, STREAM_IDENTIFIER.length));
}

function checkIdentifier(chunk: Uint8Array): void {
  if (!STREAM_IDENTIFIER.subarray(4).equals(chunk)) throw new Error('no snappy stream');
}

/** The format masks checksums, because a checksum of data that contains checksums is weak. */
function masked(checksum: number): number {
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
}

function readLength(input: Uint8Array): { length: number; next: number } {
  let length = 0;
  for (let next = 0; next < Math.min(input.length, 5); next++) {
    const byte = input[next] as number;
    length += (byte & 0x7f) * 2 ** (7 * next);
    if (byte < 0x80) return { length, next: next + 1 };
  }
  throw new Error('no length of the block');
}

/** @throws Error if the input ends before. */
function littleEndian(input: Uint8Array, at: number, width: number): number {
  if (at + width > input.length) throw new Error('unexpected end');
  let value = 0;
  for (let i = width - 1; i >= 0; i--) value = value * 256 + (input[at + i] as number);
  return value;
}

const POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0);
  return remainder;
});

/** CRC-32C (Castagnoli). https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4 */
function crc32c(bytes: Uint8Array): number {
  let remainder = -1;
  for (const byte of bytes) remainder = (TABLE[(remainder ^ byte) & 0xff] as number) ^ (remainder >>> 8);
  return ~remainder >>> 0;
}

import { randomBytes } from 'node:crypto';

const KEY = randomBytes(8);
const KEY_LOW = KEY.readInt32LE(0);
const KEY_HIGH = KEY.readInt32LE(4);
const FINAL_ROUNDS = 3;

/**
 * A hash with a secret key, which differs in each process. Senders choose the bytes, and cannot prepare bytes that
 * collide. HalfSipHash-1-3 over `owner` and the bytes: https://eprint.iacr.org/2012/351
 */
export function hashBytes(owner: number, view: DataView, start: number, end: number): number {
  let v0 = KEY_LOW;
  let v1 = KEY_HIGH;
  let v2 = KEY_LOW ^ 0x6c796765;
  let v3 = KEY_HIGH ^ 0x74656462;
  const wordsEnd = start + ((end - start) & ~3);
  const lastRound = wordsEnd + 4 * (1 + FINAL_ROUNDS);
  // The words are `owner`, the bytes, then the last bytes with the length. The final rounds follow.
  for (let at = start - 4; at < lastRound; at += 4) {
    let word = 0;
    if (at < start) word = owner;
    else if (at < wordsEnd) word = view.getInt32(at, true);
    else if (at === wordsEnd) word = lastWord(view, wordsEnd, end) | ((end - start) << 24);
    else if (at === wordsEnd + 4) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}

export function hashText(owner: number, text: string): number {
  const bytes = Buffer.from(text);
  return hashBytes(owner, viewOf(bytes), 0, bytes.length);
}

export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** The bytes behind the last whole word. */
function lastWord(view: DataView, start: number, end: number): number {
  let word = 0;
  for (let at = start; at < end; at++) word |= view.getUint8(at) << (8 * (at - start));
  return word;
}

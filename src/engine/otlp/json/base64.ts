import type { WireWriter } from '../wire-writer.ts';
import type { Fail } from './scalars.ts';

const STEP_CHARACTERS = 64 * 1024;
const PADDING = 0x3d;
const INVALID = 255;

/** The six bits of each character, of both alphabets. */
const BITS = new Uint8Array(256).fill(INVALID);
for (const alphabet of ['+/', '-_']) {
  const all = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${alphabet}`;
  for (let value = 0; value < all.length; value++) BITS[all.codePointAt(value)!] = value;
}

/** Replaces the base64 text that the writer has from `start` on by its bytes. Yields where other work may run. */
export function* decodeBase64(writer: WireWriter, start: number, fail: Fail): Generator<undefined, undefined> {
  const content = writer.written.subarray(start);
  let length = content.length;
  for (let padding = 0; padding < 2 && content[length - 1] === PADDING; padding++) length--;
  let [bits, bitCount, to] = [0, 0, 0];
  for (let at = 0; at < length; at++) {
    const value = BITS[content[at] as number] as number;
    if (value === INVALID) fail('must be base64');
    bits = ((bits << 6) | value) & 0xfff;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      content[to++] = (bits >> bitCount) & 0xff;
    }
    if (at % STEP_CHARACTERS === STEP_CHARACTERS - 1) yield;
  }
  writer.truncate(start + to);
}

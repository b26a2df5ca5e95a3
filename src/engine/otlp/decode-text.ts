/** A byte order mark at the beginning is a part of the text. */
const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Longer texts rarely repeat. */
const MAX_REMEMBERED_BYTES = 64;
const SLOTS = 4096;

/** Texts are found by a cheap hash. A sender can make it useless: then each text is decoded. */
const hashes = new Int32Array(SLOTS);
const texts = Array.from({ length: SLOTS }, (): string | undefined => undefined);

/**
 * Decodes UTF-8; bytes that are not UTF-8 become U+FFFD. Most texts of telemetry are keys and values that repeat: those are
 * decoded at their second occurrence, and are the same text from then on.
 */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > MAX_REMEMBERED_BYTES) return textDecoder.decode(bytes.subarray(start, end));
  let hash = end - start;
  let all = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    hash = Math.imul(hash ^ byte, 0x01000193);
    all |= byte;
  }
  if (all > 0x7f) return textDecoder.decode(bytes.subarray(start, end));
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  if (hashes[slot] !== hash) {
    hashes[slot] = hash;
    texts[slot] = undefined;
    return asciiText(bytes, start, end);
  }
  const known = texts[slot];
  if (known !== undefined && isAscii(known, bytes, start, end)) return known;
  return (texts[slot] = asciiText(bytes, start, end));
}

function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, start, end);
}

function isAscii(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let at = start; at < end; at++) if (text.charCodeAt(at - start) !== bytes[at]) return false;
  return true;
}

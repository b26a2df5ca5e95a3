import { cleanText } from '../../../../privacy/privacy.ts';
import type { ByteDictionary } from '../memory/byte-dictionary.ts';

/** Longer texts are cut. */
const MAX_BYTES = 4096;
const COLON = 0x3a;

/** The number of a text without the credentials in it. */
export function internText(texts: ByteDictionary, view: DataView, start: number, end: number): number {
  if (end - start <= MAX_BYTES) {
    const known = texts.find(view, start, end);
    if (known >= 0) return known;
    if (!hasColon(view, start, end)) return texts.add(view, start, end);
  }
  const text = Buffer.from(view.buffer, view.byteOffset + start, Math.min(end - start, MAX_BYTES)).toString();
  return texts.internBytes(Buffer.from(cleanText(text)));
}

/** An address has one. */
function hasColon(view: DataView, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (view.getUint8(at) === COLON) return true;
  return false;
}

import { cleanName } from '../../../../privacy/privacy.ts';
import type { ByteDictionary } from '../memory/byte-dictionary.ts';

/** Longer texts are cut. */
const MAX_LENGTH = 4096;

/** The number of a name or a short message without the secrets in it. */
export function internText(texts: ByteDictionary, view: DataView, start: number, end: number): number {
  if (end - start <= MAX_LENGTH) {
    const known = texts.find(view, start, end);
    if (known >= 0) return known;
  }
  // A credential is recognized by what follows it, which may be behind the cut.
  const text = Buffer.from(view.buffer, view.byteOffset + start, Math.min(end - start, 2 * MAX_LENGTH)).toString();
  return texts.internBytes(Buffer.from(cleanName(text).slice(0, MAX_LENGTH)));
}

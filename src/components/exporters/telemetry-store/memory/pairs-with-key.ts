import { fieldNumbers } from '../../../../engine/otlp/schema.ts';
import { WireWriter } from '../../../../engine/otlp/wire-writer.ts';
import type { AnyValue } from '../../../../engine/otlp/any-value.ts';
import { pairOf } from './record.ts';
import type { Segment } from './segment.ts';

const KEY_FIELD = fieldNumbers('KeyValue').key;
const PAIRS_A_STEP = 4096;

/** Which pairs have this key and a value that fits: 1 at their numbers. */
export function* pairsWithKey(
  segment: Segment,
  key: string,
  fits: (value: AnyValue) => boolean,
): Generator<undefined, Uint8Array> {
  const { pairs } = segment;
  const found = new Uint8Array(pairs.count);
  // Each pair begins with its key.
  const prefix = encodedKey(key);
  for (let pair = 0; pair < found.length; pair++) {
    if (pair % PAIRS_A_STEP === 0) yield;
    if (pairs.startsWith(pair, prefix) && fits(pairOf(segment, pair)[1])) found[pair] = 1;
  }
  return found;
}

/** True if the list of attributes at `details` has one of the pairs that `pairsWithKey` has found. */
export function listHas({ words }: Segment, details: number, pairs: Uint8Array): boolean {
  const end = details + words.at(details);
  for (let at = details + 1; at <= end; at++) if (pairs[words.at(at)] === 1) return true;
  return false;
}

function encodedKey(key: string): Uint8Array {
  const writer = new WireWriter();
  writer.stringField(KEY_FIELD, key);
  return writer.finish();
}

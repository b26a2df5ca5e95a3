import { fieldNumbers } from '../../../../engine/otlp/schema.ts';
import { WireWriter } from '../../../../engine/otlp/wire-writer.ts';
import type { AnyValue } from '../../../../engine/otlp/any-value.ts';
import { pairOf } from './record.ts';
import type { Segment } from './segment.ts';

const KEY_FIELD = fieldNumbers('KeyValue').key;
const PAIRS_A_STEP = 4096;

/** The numbers of the pairs with this key whose values fit. */
export function* pairsWithKey(
  segment: Segment,
  key: string,
  fits: (value: AnyValue) => boolean,
): Generator<undefined, ReadonlySet<number>> {
  const { pairs } = segment;
  const found = new Set<number>();
  // Each pair begins with its key.
  const prefix = encodedKey(key);
  for (let pair = 0; pair < pairs.count; pair++) {
    if (pair % PAIRS_A_STEP === 0) yield;
    if (pairs.startsWith(pair, prefix) && fits(pairOf(segment, pair)[1])) found.add(pair);
  }
  return found;
}

/** True if the list of attributes at `details` has one of the pairs. */
export function listHas({ words }: Segment, details: number, pairs: ReadonlySet<number>): boolean {
  const end = details + words.at(details);
  for (let at = details + 1; at <= end; at++) if (pairs.has(words.at(at))) return true;
  return false;
}

export function encodedKey(key: string): Uint8Array {
  const writer = new WireWriter();
  writer.stringField(KEY_FIELD, key);
  return writer.finish();
}

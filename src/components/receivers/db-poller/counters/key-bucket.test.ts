import { array, assert, constantFrom, integer, oneof, property } from 'fast-check';
import { expect, it } from 'vitest';
import { KeyBucket } from './key-bucket.ts';
import type { KeyHash } from './key-hash.ts';

/** Hashes that are spread unevenly, with equal first words among them. */
const words = array(oneof(constantFrom(0, 1, 2, 2 ** 31, 2 ** 32 - 1), integer({ min: 0, max: 2 ** 32 - 1 }), integer({ min: 1000, max: 1100 })), { maxLength: 300 }); // prettier-ignore

function hashOf(word: number, place: number): KeyHash {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(word);
  bytes.writeUInt32BE(place, 8);
  return bytes.toString('latin1');
}

it('finds each hash and no other, however they are spread', () => {
  assert(
    property(words, integer({ min: 0, max: 2 ** 32 - 1 }), (firsts, bound) => {
      const events = new Map(firsts.map((word, place) => [hashOf(word, place), 1 + (place % 3)]));
      const bucket = KeyBucket.of(events);
      for (const [key, value] of events) expect(bucket.eventsOf(key)).toBe(value);
      expect(firsts.map((word) => bucket.eventsOf(hashOf(word, firsts.length)))).toEqual(firsts.map(() => 0));
      expect(bucket.eventsOf(hashOf(bound, firsts.length))).toBe(0);
      expect(bucket.between(0, bound).size).toBe(firsts.filter((word) => word < bound).length);
      expect(bucket.between(bound, 2 ** 32).size).toBe(firsts.filter((word) => word >= bound).length);
    }),
  );
});

import { expect, it } from 'vitest';
import { KeyBucket } from './key-bucket.ts';
import { KeyFilter } from './key-filter.ts';
import { hashOfKey, wordOf, type KeyHash } from './key-hash.ts';

const BITS = 6;
const KEYS_OF_A_BUCKET = 300;

it.each([0, BITS])('knows each key of 2^%i buckets, and few others', (bits) => {
  const filter = new KeyFilter(bits);
  const mayHave = (key: KeyHash): boolean => filter.mayHave(wordOf(key, 0), wordOf(key, 1));
  const all = Array.from({ length: 2 ** bits * KEYS_OF_A_BUCKET }, (_, i) => hashOfKey(String(i)));
  const others = Array.from({ length: 10_000 }, (_, i) => hashOfKey(`other ${i}`));
  expect(others.some(mayHave)).toBe(false);
  const half = all.length / 2;
  for (const part of [all.slice(0, half), all.slice(half)])
    filter.add(KeyBucket.of(new Map(part.map((key) => [key, 1]))));
  expect(all.every(mayHave)).toBe(true);
  expect(others.filter(mayHave).length / others.length).toBeLessThan(0.1);
});

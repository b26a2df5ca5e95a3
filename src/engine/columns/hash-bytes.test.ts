import { expect, test } from 'vitest';
import { collidingKey } from './colliding-key-under-test.ts';
import { hashBytes, hashText, viewOf } from './hash-bytes.ts';

test('gives different hashes to keys that differ in bits which a multiplication keeps', () => {
  const pairs = 12;
  const hashes = new Set<number>();
  for (let choice = 0; choice < 2 ** pairs; choice++) {
    const key = collidingKey(choice, pairs);
    hashes.add(hashBytes(1, viewOf(key), 0, key.length));
  }
  expect(hashes.size).toBeGreaterThan(2 ** pairs - 16);
});

test('depends on the owner, the length and every byte', () => {
  const texts = ['', '\0', '\0\0', '\0\0\0\0', 'a', 'b', 'abcd', 'abce', 'abcd\0', 'abcdefg', 'bbcdefg'];
  const hashes = texts.flatMap((text) => [hashText(1, text), hashText(2, text)]);
  expect(new Set(hashes).size).toBe(hashes.length);
});

test('does not depend on where the bytes are', () => {
  const text = 'service.name=shop';
  const bytes = Buffer.from(`before${text}behind`);
  expect(hashBytes(7, viewOf(bytes), 6, 6 + text.length)).toBe(hashText(7, text));
});

import { hash } from 'node:crypto';

/**
 * The first 96 bits of SHA-256 as 12 characters of one byte each: of ten million keys, two have the same hash with a
 * probability of 10^-15.
 */
export type KeyHash = string;

const CHARACTERS = 12;

export function hashOfKey(key: string): KeyHash {
  return hash('sha256', key, 'binary').slice(0, CHARACTERS);
}

/** 32 bits of a hash. @param place 0, 1 or 2. */
export function wordOf(key: KeyHash, place: number): number {
  const at = 4 * place;
  const [a, b] = [key.charCodeAt(at) << 24, key.charCodeAt(at + 1) << 16];
  return (a | b | (key.charCodeAt(at + 2) << 8) | key.charCodeAt(at + 3)) >>> 0;
}

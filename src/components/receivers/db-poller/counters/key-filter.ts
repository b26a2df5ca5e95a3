import { HASH_WORDS, type KeyBucket } from './key-bucket.ts';

/** 2^6 words for each bucket: with 300 keys in each, one of 20 new keys looks like a known one. */
const BITS_OF_A_BUCKET = 6;

/**
 * Recognises most keys that are in no bucket, without reading a bucket: a Bloom filter of 256 bytes for each
 * bucket. The three bits of a key are in one word. Words are in the order of the hashes, so that keys in this order
 * read them from front to back.
 */
export class KeyFilter {
  readonly #words: Uint32Array;
  readonly #shift: number;

  /** @param bits for 2^bits buckets. */
  constructor(bits: number) {
    this.#words = new Uint32Array(2 ** (bits + BITS_OF_A_BUCKET));
    this.#shift = 32 - bits - BITS_OF_A_BUCKET;
  }

  add({ words }: KeyBucket): void {
    for (let at = 0; at < words.length; at += HASH_WORDS)
      this.#words[words[at]! >>> this.#shift]! |= bitsOf(words[at + 1]!);
  }

  /** False: this key was not added. @param first @param second the words of its hash. */
  mayHave(first: number, second: number): boolean {
    const bits = bitsOf(second);
    return (this.#words[first >>> this.#shift]! & bits) === bits;
  }
}

function bitsOf(word: number): number {
  return (1 << (word & 31)) | (1 << ((word >>> 5) & 31)) | (1 << ((word >>> 10) & 31));
}

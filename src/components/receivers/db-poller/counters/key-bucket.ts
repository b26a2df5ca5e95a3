import { wordOf, type KeyHash } from './key-hash.ts';

export const HASH_WORDS = 3;
const HASH_BYTES = 4 * HASH_WORDS;
const ENTRY_BYTES = HASH_BYTES + 1;
const SEARCH_STEP = 8;

/** Hashes of keys with their events, in the order of the hashes. */
export class KeyBucket {
  /** Three words for each hash. */
  readonly words: Uint32Array;
  readonly events: Uint8Array;

  constructor(words: Uint32Array, events: Uint8Array) {
    this.words = words;
    this.events = events;
  }

  get size(): number {
    return this.events.length;
  }

  static readonly empty = new KeyBucket(new Uint32Array(), new Uint8Array());

  static of(events: ReadonlyMap<KeyHash, number>): KeyBucket {
    const words = new Uint32Array(events.size * HASH_WORDS);
    const bits = new Uint8Array(events.size);
    const keys = [...events.keys()];
    inOrder(keys).forEach((place, i) => {
      const key = keys[place]!;
      for (let word = 0; word < HASH_WORDS; word++) words[i * HASH_WORDS + word] = wordOf(key, word);
      bits[i] = events.get(key)!;
    });
    return new KeyBucket(words, bits);
  }

  /** @param bytes the result of `bytes`, aligned to words. */
  static from(bytes: Uint8Array): KeyBucket {
    const { buffer, byteOffset } = bytes;
    const size = Math.floor(bytes.length / ENTRY_BYTES);
    const words = new Uint32Array(buffer, byteOffset, size * HASH_WORDS);
    return new KeyBucket(words, new Uint8Array(buffer, byteOffset + size * HASH_BYTES, size));
  }

  /** All hashes, then all events. */
  get bytes(): Uint8Array {
    const { words, events } = this;
    const bytes = new Uint8Array(events.length * ENTRY_BYTES);
    bytes.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
    bytes.set(events, words.byteLength);
    return bytes;
  }

  /** The events of a hash; 0 if it is not in the bucket. @param first its first word. */
  eventsOf(key: KeyHash, first = wordOf(key, 0)): number {
    const { words } = this;
    for (let at = this.#placeOf(first); words[at * HASH_WORDS] === first; at++)
      if (words[at * HASH_WORDS + 1] === wordOf(key, 1) && words[at * HASH_WORDS + 2] === wordOf(key, 2))
        return this.events[at]!;
    return 0;
  }

  /** The hashes whose first word is in this range. @param end not included. */
  between(start: number, end: number): KeyBucket {
    const [from, to] = [this.#placeOf(start), this.#placeOf(end)];
    return new KeyBucket(this.words.subarray(from * HASH_WORDS, to * HASH_WORDS), this.events.subarray(from, to));
  }

  /** The hashes of both, with the events of both. */
  with(other: KeyBucket): KeyBucket {
    if (other.size === 0) return this;
    if (this.size === 0) return other;
    const words = new Uint32Array(this.words.length + other.words.length);
    const events = new Uint8Array(this.size + other.size);
    let size = 0;
    for (let [a, b] = [0, 0]; a < this.size || b < other.size; size++) {
      const order = compare(this, a, other, b);
      const source = order <= 0 ? this : other;
      const at = (order <= 0 ? a : b) * HASH_WORDS;
      for (let place = 0; place < HASH_WORDS; place++) words[size * HASH_WORDS + place] = source.words[at + place]!;
      events[size] = (order <= 0 ? this.events[a++]! : 0) | (order >= 0 ? other.events[b++]! : 0);
    }
    return new KeyBucket(words.subarray(0, size * HASH_WORDS), events.subarray(0, size));
  }

  /**
   * The place of the first hash that does not begin with a smaller word. Hashes are spread evenly, so the search begins
   * where the word suggests, and reads few pages of a large bucket.
   */
  #placeOf(word: number): number {
    const { words, size } = this;
    if (size === 0) return 0;
    const [first, last] = [words[0]!, words[words.length - HASH_WORDS]!];
    if (word <= first) return 0;
    if (word > last) return size;
    let low = Math.floor(((word - first) / (last - first)) * (size - 1));
    let high = low;
    let step = SEARCH_STEP;
    while (low > 0 && words[low * HASH_WORDS]! >= word) {
      high = low;
      low = Math.max(0, low - step);
      step *= 2;
    }
    while (high < size && words[high * HASH_WORDS]! < word) {
      low = high + 1;
      high = Math.min(size, high + step);
      step *= 2;
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (words[middle * HASH_WORDS]! < word) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A number with the first word of a hash and its place: 32 and 21 bits are an exact number. */
const PLACES = 2 ** 21;

/**
 * The places of the hashes in their order. Sorting numbers takes a fraction of the time of sorting texts; hashes with the
 * same first word are few.
 */
export function inOrder(keys: readonly KeyHash[]): Uint32Array {
  const sorted = Float64Array.from(keys, (key, place) => wordOf(key, 0) * PLACES + place).toSorted();
  const places = Uint32Array.from(sorted, (both) => both % PLACES);
  for (let i = 1; i < places.length; i++) {
    const place = places[i]!;
    let at = i;
    for (; at > 0 && keys[places[at - 1]!]! > keys[place]!; at--) places[at] = places[at - 1]!;
    places[at] = place;
  }
  return places;
}

/** The order of two hashes; a bucket that has ended comes last. */
function compare(a: KeyBucket, atA: number, b: KeyBucket, atB: number): number {
  if (atA === a.size) return 1;
  if (atB === b.size) return -1;
  for (let place = 0; place < HASH_WORDS; place++) {
    const difference = a.words[atA * HASH_WORDS + place]! - b.words[atB * HASH_WORDS + place]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

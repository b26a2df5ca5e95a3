import { KeyBucket } from './key-bucket.ts';
import { wordOf, type KeyHash } from './key-hash.ts';

/** Hashes of keys in memory, 13 bytes each: in a few buckets, which are at least twice as large as the next one. */
export class RecentKeys {
  readonly #buckets: KeyBucket[] = [];

  add(added: KeyBucket): void {
    let bucket = added;
    for (let last = this.#buckets.at(-1); last && last.size < 2 * bucket.size; last = this.#buckets.at(-1)) {
      bucket = last.with(bucket);
      this.#buckets.pop();
    }
    this.#buckets.push(bucket);
  }

  /** The events of a hash; 0 if it is not among them. */
  eventsOf(key: KeyHash): number {
    const first = wordOf(key, 0);
    let events = 0;
    for (const bucket of this.#buckets) events |= bucket.eventsOf(key, first);
    return events;
  }

  /** The hashes whose first word is in this range. @param end not included. */
  between(start: number, end: number): KeyBucket {
    return this.#buckets.reduce((all, bucket) => all.with(bucket.between(start, end)), KeyBucket.empty);
  }
}

import * as v from 'valibot';
import { StorageError, type StorageSpace } from '../../../../engine/storage.ts';
import { TimeSlice } from '../../../../engine/time-slice.ts';
import { inOrder, KeyBucket } from './key-bucket.ts';
import { KeyFilter } from './key-filter.ts';
import { wordOf, type KeyHash } from './key-hash.ts';
import { RecentKeys } from './recent-keys.ts';

/** Keys that wait until they are in buckets. Two rounds of them are in memory. */
const MOST_OF_A_ROUND = 2 ** 19;
const LEAST_OF_A_ROUND = 512;
const KEYS_OF_A_BUCKET = 512;
/** Buckets that are read without a pause: 0.3 MB. */
const BUCKETS_AT_ONCE = 64;
const LOGS_AT_ONCE = 1000;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const indexSchema = v.object({
  /** 2^bits buckets, numbered by the first bits of the hashes. */
  bits: count,
  /** The bits of the buckets that this round has rewritten. */
  nextBits: count,
  /** The first of the 2^bits buckets that this round has not rewritten. */
  cursor: count,
  /** The first log entry of the round before this one, the first one of this round, and the number of the next one. */
  firstLog: count,
  turnLog: count,
  endLog: count,
});
type Index = v.InferOutput<typeof indexSchema>;
const EMPTY: Index = { bits: 0, nextBits: 0, cursor: 0, firstLog: 0, turnLog: 0, endLog: 0 };

/**
 * The events of each key that were counted, one bit for each event, in about 16 bytes for each key.
 *
 * Keys are stored by their hash. To write each of them where it belongs would rewrite a page of the disk for every key.
 * So a write appends its keys to a log, whose keys are also in memory, and buckets with hundreds of keys receive them in
 * rounds: each write moves a share of the buckets on, so that a round ends when MOST_OF_A_ROUND keys were written. Each
 * bucket of a round receives all keys of the log. After a round, the log of the round before it is in the buckets. As the
 * keys grow, a round makes two buckets of each.
 */
export class CountedKeys {
  readonly #space: StorageSpace;
  readonly #prefix: string;
  #index: Index | undefined;
  /** The keys of the log: of the round before, and of this round. */
  #before = new RecentKeys();
  #recent = new RecentKeys();
  /** For the buckets that this round has not rewritten, and for those that it has. The same object while their number stays. */
  #filter = new KeyFilter(0);
  #nextFilter = this.#filter;

  /** @param prefix the prefix of its keys in the storage. */
  constructor(space: StorageSpace, prefix: string) {
    this.#space = space;
    this.#prefix = prefix;
  }

  /** The counted events of those keys that have any. @throws StorageError */
  async eventsOf(keys: readonly KeyHash[]): Promise<ReadonlyMap<KeyHash, number>> {
    const index = await this.#loaded();
    const found = new Map<KeyHash, number>();
    const inBuckets = new Map<string, KeyHash[]>();
    // Sorted as on the disk.
    for (const place of inOrder(keys)) {
      const key = keys[place]!;
      const events = this.#recent.eventsOf(key) | this.#before.eventsOf(key);
      if (events !== 0) found.set(key, events);
      else if (this.#mayBeInBucket(index, key)) append(inBuckets, this.#bucketOf(index, wordOf(key, 0)), key);
    }
    const names = [...inBuckets.keys()];
    const slice = new TimeSlice();
    for (let from = 0; from < names.length; from += BUCKETS_AT_ONCE) {
      await slice.pause();
      for (const [name, bytes] of await this.#space.get(names.slice(from, from + BUCKETS_AT_ONCE))) {
        const bucket = KeyBucket.from(bytes);
        for (const key of inBuckets.get(name)!) {
          const events = bucket.eventsOf(key);
          if (events !== 0) found.set(key, events);
        }
      }
    }
    return found;
  }

  /**
   * Stores these events, and the other changes, in one write.
   *
   * @param total the number of all keys, at least about.
   * @throws StorageError; then none of them is stored.
   */
  async store(
    events: ReadonlyMap<KeyHash, number>,
    total: number,
    changes: ReadonlyMap<string, Uint8Array | undefined> = new Map(),
  ): Promise<void> {
    if (events.size === 0) return await this.#space.write(changes);
    await this.#loaded();
    await this.#moveOn(events.size, total);
    const index = this.#index!;
    const added = KeyBucket.of(events);
    const next = { ...index, endLog: index.endLog + 1 };
    await this.#space.write(new Map([...changes, [this.#log(index.endLog), added.bytes], this.#indexEntry(next)]));
    this.#index = next;
    this.#recent.add(added);
  }

  /** @throws StorageError */
  async forgetAll(): Promise<void> {
    this.#index = undefined;
    await this.#space.clear(this.#prefix);
  }

  /** Rewrites the share of the buckets that corresponds to so many written keys. */
  async #moveOn(written: number, total: number): Promise<void> {
    const round = Math.min(MOST_OF_A_ROUND, Math.max(LEAST_OF_A_ROUND, total / 2));
    const { bits, cursor } = this.#index!;
    const end = Math.min(2 ** bits, cursor + Math.ceil((written / round) * 2 ** bits));
    const slice = new TimeSlice();
    for (let from = cursor; from < end; from += BUCKETS_AT_ONCE) {
      await slice.pause();
      await this.#rewrite(from, Math.min(end, from + BUCKETS_AT_ONCE));
    }
    if (end === 2 ** bits) await this.#turn(total);
  }

  async #rewrite(from: number, end: number): Promise<void> {
    const index = this.#index!;
    const { bits, nextBits } = index;
    const numbers = Array.from({ length: end - from }, (_, i) => from + i);
    const buckets = await this.#space.get(numbers.map((number) => this.#bucket(bits, number)));
    const changes = new Map<string, Uint8Array | undefined>();
    for (const number of numbers) {
      const name = this.#bucket(bits, number);
      const bytes = buckets.get(name);
      const bucket = bytes ? KeyBucket.from(bytes) : KeyBucket.empty;
      const words = [firstWord(bits, number), firstWord(bits, number + 1)] as const;
      const logged = this.#before.between(...words).with(this.#recent.between(...words));
      if (nextBits === bits && logged.size === 0) continue;
      if (nextBits !== bits) changes.set(name, undefined);
      const filled = bucket.with(logged);
      this.#nextFilter.add(nextBits === bits ? logged : filled);
      const pieces = 2 ** (nextBits - bits);
      for (let piece = pieces * number; piece < pieces * (number + 1); piece++) {
        const part = filled.between(firstWord(nextBits, piece), firstWord(nextBits, piece + 1));
        changes.set(this.#bucket(nextBits, piece), part.bytes);
      }
    }
    const next = { ...index, cursor: end };
    await this.#space.write(new Map([...changes, this.#indexEntry(next)]));
    this.#index = next;
  }

  /** Begins the next round. */
  async #turn(total: number): Promise<void> {
    const { nextBits: bits, firstLog, turnLog, endLog } = this.#index!;
    const nextBits = total > 2 ** bits * KEYS_OF_A_BUCKET ? bits + 1 : bits;
    const next = { bits, nextBits, cursor: 0, firstLog: turnLog, turnLog: endLog, endLog };
    const old = Array.from({ length: turnLog - firstLog }, (_, i) => [this.#log(firstLog + i), undefined] as const);
    await this.#space.write(new Map<string, Uint8Array | undefined>([...old, this.#indexEntry(next)]));
    this.#index = next;
    this.#before = this.#recent;
    this.#recent = new RecentKeys();
    this.#filter = this.#nextFilter;
    if (nextBits !== bits) this.#nextFilter = new KeyFilter(nextBits);
  }

  async #loaded(): Promise<Index> {
    if (this.#index) return this.#index;
    const name = `${this.#prefix}index`;
    const bytes = (await this.#space.get([name])).get(name);
    const index = bytes ? decodeIndex(bytes) : EMPTY;
    this.#before = await this.#loadLogs(index.firstLog, index.turnLog);
    this.#recent = await this.#loadLogs(index.turnLog, index.endLog);
    await this.#loadFilters(index);
    this.#index = index;
    return index;
  }

  async #loadFilters({ bits, nextBits, cursor }: Index): Promise<void> {
    this.#filter = new KeyFilter(bits);
    this.#nextFilter = nextBits === bits ? this.#filter : new KeyFilter(nextBits);
    await this.#fill(this.#nextFilter, nextBits, { from: 0, end: cursor * 2 ** (nextBits - bits) });
    await this.#fill(this.#filter, bits, { from: cursor, end: 2 ** bits });
  }

  async #fill(filter: KeyFilter, bits: number, range: { readonly from: number; readonly end: number }): Promise<void> {
    const slice = new TimeSlice();
    for (let first = range.from; first < range.end; first += BUCKETS_AT_ONCE) {
      await slice.pause();
      const size = Math.min(range.end - first, BUCKETS_AT_ONCE);
      const buckets = await this.#space.get(Array.from({ length: size }, (_, i) => this.#bucket(bits, first + i)));
      for (const bytes of buckets.values()) filter.add(KeyBucket.from(bytes));
    }
  }

  async #loadLogs(from: number, end: number): Promise<RecentKeys> {
    const keys = new RecentKeys();
    for (let first = from; first < end; first += LOGS_AT_ONCE) {
      const names = Array.from({ length: Math.min(end - first, LOGS_AT_ONCE) }, (_, i) => this.#log(first + i));
      for (const bytes of (await this.#space.get(names)).values()) keys.add(KeyBucket.from(bytes));
    }
    return keys;
  }

  #mayBeInBucket({ bits, cursor }: Index, key: KeyHash): boolean {
    const word = wordOf(key, 0);
    const filter = numberOf(word, bits) < cursor ? this.#nextFilter : this.#filter;
    return filter.mayHave(word, wordOf(key, 1));
  }

  #bucketOf({ bits, nextBits, cursor }: Index, word: number): string {
    const number = numberOf(word, bits);
    return number < cursor ? this.#bucket(nextBits, numberOf(word, nextBits)) : this.#bucket(bits, number);
  }

  #bucket(bits: number, number: number): string {
    return `${this.#prefix}${bits}/${number.toString(16).padStart(8, '0')}`;
  }

  #log(number: number): string {
    return `${this.#prefix}log/${number}`;
  }

  #indexEntry(index: Index): readonly [string, Uint8Array] {
    return [`${this.#prefix}index`, Buffer.from(JSON.stringify(index))];
  }
}

/** The first word of the hashes in a bucket. */
function firstWord(bits: number, number: number): number {
  return number * 2 ** (32 - bits);
}

/** The number of the bucket of a hash that begins with this word. */
function numberOf(word: number, bits: number): number {
  return Math.floor(word / 2 ** (32 - bits));
}

/** @throws StorageError */
function decodeIndex(bytes: Uint8Array): Index {
  try {
    return v.parse(indexSchema, JSON.parse(Buffer.from(bytes).toString()));
  } catch (cause) {
    throw new StorageError('corrupt', 'the index of the counted keys cannot be read', { cause });
  }
}

function append<T>(lists: Map<string, T[]>, name: string, value: T): void {
  const list = lists.get(name);
  if (list) list.push(value);
  else lists.set(name, [value]);
}

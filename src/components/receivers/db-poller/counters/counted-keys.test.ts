import { expect, it } from 'vitest';
import { MemoryStorage } from '../../../../engine/memory-storage.ts';
import type { StorageSpace } from '../../../../engine/storage.ts';
import { CountedKeys } from './counted-keys.ts';
import { inOrder } from './key-bucket.ts';
import { hashOfKey, type KeyHash } from './key-hash.ts';

const PREFIX = 'keys/orders/';

async function newSpace(): Promise<StorageSpace> {
  return await new MemoryStorage().space({ kind: 'receiver', id: 'r' });
}

function keys(from: number, end: number, events = 1): Map<KeyHash, number> {
  return new Map(Array.from({ length: end - from }, (_, i) => [hashOfKey(String(from + i)), events]));
}

/** Fails the write with this number, counted from now. */
class FailingSpace implements StorageSpace {
  failsIn = Infinity;
  readonly #inner: StorageSpace;

  constructor(inner: StorageSpace) {
    this.#inner = inner;
  }

  async get(names: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    return await this.#inner.get(names);
  }

  async write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<void> {
    if (--this.failsIn === 0) throw new Error('no room');
    await this.#inner.write(changes);
  }

  async clear(prefix: string): Promise<void> {
    await this.#inner.clear(prefix);
  }
}

/** The keys whose events it does not know, or knows although they were never written. */
async function wrong(counted: CountedKeys, truth: ReadonlyMap<KeyHash, number>): Promise<KeyHash[]> {
  const asked = [...truth.keys(), ...keys(1e6, 1e6 + 50).keys()];
  const known = await counted.eventsOf(asked);
  return asked.filter((key) => known.get(key) !== truth.get(key));
}

it('knows each key with its events, however they were written, by whichever process', async () => {
  const space = new FailingSpace(await newSpace());
  const truth = new Map<KeyHash, number>();
  let counted = new CountedKeys(space, PREFIX);
  let next = 0;
  for (let write = 0; write < 100; write++) {
    const size = [1, 3, 40, 900][write % 4]!;
    const changed = new Map([...keys(next, next + size), ...keys(write, write + 2, 3)]);
    if (write % 7 === 0) space.failsIn = 1 + (write % 3);
    try {
      await counted.store(changed, truth.size + size, new Map([['state', new Uint8Array([write % 256])]]));
      for (const [key, events] of changed) truth.set(key, events | (truth.get(key) ?? 0));
      next += size;
    } catch {
      // Nothing of it was stored.
    }
    space.failsIn = Infinity;
    if (write % 11 === 0) counted = new CountedKeys(space, PREFIX);
    if (write % 20 === 0) expect(await wrong(counted, truth)).toEqual([]);
  }
  expect(truth.size).toBeGreaterThan(20_000);
  expect(await wrong(counted, truth)).toEqual([]);
});

it('needs few bytes for each key, however small its writes are', async () => {
  const space = new Map<string, number>();
  const inner = await newSpace();
  const counted = new CountedKeys(
    {
      get: async (names) => await inner.get(names),
      write: async (changes) => {
        for (const [name, value] of changes) space.set(name, value?.length ?? 0);
        await inner.write(changes);
      },
      clear: async (prefix) => await inner.clear(prefix),
    },
    PREFIX,
  );
  for (let from = 0; from < 10_000; from += 10) await counted.store(keys(from, from + 10), from + 10);
  const bytes = [...space.values()].reduce((sum, size) => sum + size, 0);
  // 13 for each, and those of the log twice.
  expect(bytes).toBeLessThan(10_000 * 26);
});

it('forgets all', async () => {
  const counted = new CountedKeys(await newSpace(), PREFIX);
  await counted.store(keys(0, 2000), 2000);
  await counted.forgetAll();
  await counted.store(keys(5, 6), 1);
  expect(await counted.eventsOf([...keys(0, 2000).keys()])).toEqual(keys(5, 6));
});

it('sorts hashes as texts, also those that begin with the same word', () => {
  const word = String.fromCharCode(255, 0, 254, 1);
  const hashes = Array.from({ length: 500 }, (_, i) => (i % 3 === 0 ? word : hashOfKey(`w${i}`).slice(0, 4)) + hashOfKey(String(i)).slice(4)); // prettier-ignore
  expect([...inOrder(hashes)].map((place) => hashes[place])).toEqual(hashes.toSorted());
  expect([...inOrder([])]).toEqual([]);
});

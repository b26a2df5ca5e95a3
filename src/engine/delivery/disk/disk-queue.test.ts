import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { QueueSettings } from '../../component.ts';
import { PermanentError, RetryableError } from '../../errors.ts';
import { DiskQueue } from './disk-queue.ts';

interface Item {
  readonly text: string;
  readonly itemCount: number;
  readonly sizeBytes: number;
}

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'siphon-queue-'));
  folders.push(folder);
  return join(folder, 'queue');
}

function itemOf(text: string, itemCount = 1): Item {
  return { text, itemCount, sizeBytes: text.length };
}

interface Options {
  readonly settings?: Partial<QueueSettings>;
  readonly maxBytes?: number;
  /** Answers each attempt. */
  readonly answer?: (text: string) => void | Promise<void>;
  readonly locate?: () => void;
}

async function open(directory: string, options: Options = {}) {
  const { settings, maxBytes = 1e9, answer = () => undefined, locate = () => undefined } = options;
  const seen = { sent: [] as string[], dropped: [] as string[], corrupt: [] as number[], recovered: 0, failures: 0 };
  const queue = new DiskQueue<Item>(
    {
      next: { consume: async ({ text }) => await answer(text) },
      settings: { numConsumers: 1, queueSize: 1e6, sizer: 'requests', blockOnOverflow: false, ...settings },
      codec: {
        encode: ({ text }) => [Buffer.from(text)],
        decode: (bytes, itemCount) => itemOf(Buffer.from(bytes).toString(), itemCount),
      },
      ledgerItems: ({ itemCount }) => itemCount,
      locate: async () => {
        locate();
        return { directory, maxBytes, fsync: false };
      },
    },
    {
      sent: ({ text }) => seen.sent.push(text),
      dropped: ({ text }) => seen.dropped.push(text),
      recovered: (items) => (seen.recovered += items),
      corrupt: (items) => seen.corrupt.push(items),
      working: () => undefined,
      failing: () => seen.failures++,
    },
  );
  await queue.start();
  const close = async (): Promise<void> => {
    await queue.drain(AbortSignal.timeout(200));
    await queue.settled();
  };
  return { queue, seen, close };
}

const away = (): Promise<void> => new Promise(() => undefined);
const keepAll = (): Promise<void> => Promise.reject(new PermanentError('shutdown', 'not sent in time'));

async function fill(directory: string, texts: readonly string[]): Promise<void> {
  const { queue, close } = await open(directory, { answer: keepAll });
  for (const text of texts) await queue.consume(itemOf(text));
  await close();
}

const texts = (count: number, length = 10): string[] =>
  Array.from({ length: count }, (_, index) => String(index).padEnd(length, '.'));

describe('a queue on disk', () => {
  it('sends the oldest item first and leaves no file behind that grows', async () => {
    const directory = folderOf();
    const { queue, seen, close } = await open(directory);
    for (const text of texts(100)) await queue.consume(itemOf(text));
    await expect.poll(() => seen.sent).toEqual(texts(100));
    expect([queue.size, queue.waitingItems]).toEqual([0, 0]);
    await close();
    const second = await open(directory);
    expect(second.seen.recovered).toBe(0);
    await second.close();
  });

  it('keeps its items when the process ends, also those that were being sent', async () => {
    const directory = folderOf();
    await fill(directory, texts(50));
    const { seen, close } = await open(directory);
    await expect.poll(() => seen.sent).toEqual(texts(50));
    expect(seen.recovered).toBe(50);
    await close();
    const third = await open(directory);
    expect(third.seen.recovered).toBe(0);
    await third.close();
  });

  it('does not send again what was sent or dropped', async () => {
    const directory = folderOf();
    let attempts = 0;
    const first = await open(directory, {
      answer: async () => {
        attempts++;
        if (attempts === 2) throw new PermanentError('http_4xx', 'no');
        if (attempts > 3) await away();
      },
    });
    for (const text of texts(6)) await first.queue.consume(itemOf(text));
    await expect.poll(() => attempts).toBe(4);
    await first.close();
    const second = await open(directory);
    await expect.poll(() => second.seen.sent).toEqual(texts(6).slice(3));
    expect([first.seen.sent.length, first.seen.dropped.length, second.seen.recovered]).toEqual([2, 1, 3]);
    await second.close();
  });

  it('continues across segments and removes those that are done', async () => {
    const directory = folderOf();
    const large = texts(40, 1_000_000);
    await fill(directory, large);
    expect(readdirSync(directory).filter((file) => file.endsWith('.segment'))).toHaveLength(3);
    const { queue, seen, close } = await open(directory, { settings: { numConsumers: 4 } });
    await queue.consume(itemOf('last'));
    await expect.poll(() => seen.sent.length, { timeout: 5000 }).toBe(41);
    expect(seen.sent.toSorted()).toEqual([...large, 'last'].toSorted());
    await expect.poll(() => readdirSync(directory)).toHaveLength(2);
    await close();
  });

  it('does not take the notes of a removed segment for those of a new one', async () => {
    const directory = folderOf();
    const first = await open(directory);
    await first.queue.consume(itemOf('a'));
    await expect.poll(() => first.seen.sent).toEqual(['a']);
    await first.close();
    // The process ended while it removed the segment.
    for (const file of readdirSync(directory).filter((name) => name.endsWith('.segment')))
      rmSync(join(directory, file));
    await fill(directory, ['b']);
    const second = await open(directory);
    await expect.poll(() => second.seen.sent).toEqual(['b']);
    await second.close();
    expect(readdirSync(directory).filter((name) => name.endsWith('.finished')).length).toBeLessThanOrEqual(1);
  });

  it.runIf(process.platform === 'linux')('writes items together that arrive together, in their order', async () => {
    const directory = folderOf();
    const { queue, seen, close } = await open(directory, { settings: { numConsumers: 10 } });
    const items = texts(1000, 100);
    const before = writeCalls();
    await Promise.all(items.map(async (text) => await queue.consume(itemOf(text))));
    await expect.poll(() => seen.sent.length, { timeout: 8000 }).toBe(1000);
    expect(seen.sent).toEqual(items);
    expect(writeCalls() - before).toBeLessThan(500);
    await close();
    const second = await open(directory);
    expect(second.seen.recovered).toBe(0);
    await second.close();
  });

  it.runIf(process.platform === 'linux')('notes several sent items with one write', async () => {
    const [alone, together] = [await writesOf(1), await writesOf(10)];
    expect(together).toBeLessThan(0.75 * alone);
  });

  it('sends at most as many items again as are sent at a time, whatever was noted', async () => {
    const directory = folderOf();
    const { queue, seen, close } = await open(directory, { settings: { numConsumers: 4 } });
    for (const text of texts(10)) await queue.consume(itemOf(text));
    await expect.poll(() => seen.sent).toEqual(texts(10));
    // `kill -9` leaves the files as they are now.
    const copy = folderOf();
    cpSync(directory, copy, { recursive: true });
    const second = await open(copy);
    expect(second.seen.recovered).toBeLessThanOrEqual(4);
    await second.close();
    await close();
  });

  it('has room again after everything is sent, also with a small limit', async () => {
    const directory = folderOf();
    const { queue, seen, close } = await open(directory, { maxBytes: 10_000 });
    for (const text of texts(200, 1000)) {
      await queue.consume(itemOf(text));
      await expect.poll(() => queue.waitingItems, { interval: 1 }).toBe(0);
    }
    expect(seen.sent).toEqual(texts(200, 1000));
    await close();
  });

  it('is bounded in requests, items and bytes, and on disk', async () => {
    const full = { code: 'queue_full', name: 'RetryableError' };
    for (const [settings, maxBytes] of [
      [{ queueSize: 2, sizer: 'requests' }, 1e9],
      [{ queueSize: 2, sizer: 'items' }, 1e9],
      [{ queueSize: 70, sizer: 'bytes' }, 1e9],
      [{}, 70],
    ] as const) {
      const { queue, close } = await open(folderOf(), { settings, maxBytes, answer: away });
      await queue.consume(itemOf('0123456789'));
      await queue.consume(itemOf('0123456789'));
      await expect(queue.consume(itemOf('0123456789'))).rejects.toMatchObject(full);
      await close();
    }
  });

  it('makes the sender wait for room with block_on_overflow', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { queue, seen, close } = await open(folderOf(), {
      settings: { queueSize: 1, blockOnOverflow: true },
      answer: async () => await promise,
    });
    await queue.consume(itemOf('a', 5));
    const second = queue.consume(itemOf('b', 3));
    expect([queue.waitingItems, queue.blockedItems]).toEqual([5, 3]);
    resolve();
    await second;
    await expect.poll(() => seen.sent).toEqual(['a', 'b']);
    await close();
  });

  it('ignores an item that was cut off when the process ended, because it was not accepted', async () => {
    const directory = folderOf();
    await fill(directory, texts(3, 100));
    const segment = join(directory, '000000000001.segment');
    for (const cut of [1, 60, 110]) {
      const copy = folderOf();
      await fill(copy, texts(3, 100));
      truncateSync(join(copy, '000000000001.segment'), statSync(segment).size - cut);
      const { seen, close } = await open(copy);
      await expect.poll(() => seen.sent).toEqual(texts(2, 100));
      expect(seen).toMatchObject({ recovered: 2, corrupt: [] });
      await close();
    }
  });

  it('sets a corrupt entry aside, counts it, and sends the others', async () => {
    for (const [offset, lost] of [
      [124 + 50, [1]],
      [124 + 1, []],
      [124 + 5, [1]],
    ] as const) {
      const directory = folderOf();
      await fill(directory, texts(3, 100));
      const segment = join(directory, '000000000001.segment');
      const bytes = readFileSync(segment);
      bytes[offset] = bytes[offset]! ^ 0xff;
      writeFileSync(segment, bytes);
      const { queue, seen, close } = await open(directory);
      expect(seen.recovered).toBe(2 + lost.length);
      await expect.poll(() => seen.sent).toEqual([texts(3, 100)[0], texts(3, 100)[2]]);
      expect(seen.corrupt.filter((items) => items > 0)).toEqual(lost);
      expect(seen.corrupt.length).toBeGreaterThan(0);
      expect(queue.waitingItems).toBe(0);
      expect(readdirSync(directory).filter((file) => file.endsWith('.corrupt'))).toHaveLength(1);
      await close();
    }
  });

  it('survives any damage to its files', async () => {
    for (let round = 0; round < 40; round++) {
      const directory = folderOf();
      await fill(directory, texts(20, 30));
      for (const file of readdirSync(directory)) {
        const bytes = readFileSync(join(directory, file));
        for (let i = 0; i < 3; i++) bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256);
        writeFileSync(join(directory, file), bytes);
      }
      const { queue, seen, close } = await open(directory);
      await queue.consume(itemOf('new'));
      await expect.poll(() => seen.sent).toContain('new');
      expect(new Set(seen.sent).size).toBe(seen.sent.length);
      expect(seen.sent.length).toBeGreaterThanOrEqual(21 - 6);
      expect(queue.waitingItems).toBe(0);
      await close();
    }
  });

  it('refuses items while the storage cannot be used, and works when it can', async () => {
    let isBroken = true;
    const { queue, seen, close } = await open(folderOf(), {
      locate: () => {
        if (isBroken) throw new Error('read-only file system');
      },
    });
    expect(queue.isFull).toBe(true);
    await expect(queue.consume(itemOf('a'))).rejects.toMatchObject({ code: 'storage', name: 'RetryableError' });
    isBroken = false;
    await expect.poll(async () => await queue.consume(itemOf('b')).then(() => 'accepted', String), { timeout: 3000 }).toBe('accepted'); // prettier-ignore
    await expect.poll(() => seen.sent).toEqual(['b']);
    await close();
  });

  it('keeps an item whose attempt ends with the shutdown', async () => {
    const directory = folderOf();
    const first = await open(directory, {
      answer: () => Promise.reject(new PermanentError('shutdown', 'not sent in time')),
    });
    await first.queue.consume(itemOf('a'));
    await first.close();
    expect(first.seen.dropped).toEqual([]);
    const second = await open(directory, { answer: () => Promise.reject(new RetryableError('network_error', 'x')) });
    expect(second.seen.recovered).toBe(1);
    await second.close();
  });
});

/** The writes of this process so far. */
function writeCalls(): number {
  return Number(/^syscw: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}

/** The writes of this process while a queue sends 100 items, one after another. */
async function writesOf(numConsumers: number): Promise<number> {
  const { queue, seen, close } = await open(folderOf(), { settings: { numConsumers } });
  const before = writeCalls();
  for (const [index, text] of texts(100).entries()) {
    await queue.consume(itemOf(text));
    while (seen.sent.length <= index) await setImmediate();
  }
  const calls = writeCalls() - before;
  await close();
  return calls;
}

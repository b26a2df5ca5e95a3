import { setTimeout as sleep } from 'node:timers/promises';
import { aborted } from '../../aborted.ts';
import type { QueueSettings } from '../../component.ts';
import { PermanentError, RetryableError } from '../../errors.ts';
import type { DeliveryQueue, QueueEvents, Sendable, Sender } from '../delivery-queue.ts';
import { DiskLog, type DiskLogSettings, type LogRecord } from './disk-log.ts';
import { NOTHING, type Amount } from './segment.ts';

/** How items become bytes. */
export interface ItemCodec<Item> {
  encode(item: Item): readonly Uint8Array[];
  /** @throws Error if the bytes are not an item. */
  decode(bytes: Uint8Array, itemCount: number): Item;
}

export interface DiskQueueEvents<Item> extends QueueEvents<Item> {
  /** The queue on disk works, or not. */
  readonly working: () => void;
  readonly failing: (error: unknown) => void;
  /** Called once, with the number of items that an earlier process has left. */
  readonly recovered: (ledgerItems: number) => void;
  readonly corrupt: (ledgerItems: number, setAsideAs: string | undefined) => void;
}

/** Everything that the queue needs, apart from its events. */
export interface DiskQueueParts<Item> {
  readonly next: Sender<Item>;
  readonly settings: QueueSettings;
  readonly codec: ItemCodec<Item>;
  /** The number of items in the ledger. */
  readonly ledgerItems: (item: Item) => number;
  /** The directory and its limits. Fails while the storage cannot be used. */
  readonly locate: () => Promise<Omit<DiskLogSettings, 'onCorrupt'>>;
}

/** The pause after a failure of the disk. */
const RETRY_MS = 1000;
const SETTLE_MS = 500;

/**
 * A queue in files: `consume` resolves when the item would survive the end of the process. The oldest item is sent
 * first. An item that is being sent when the process ends is sent again by the next one: at least once.
 */
export class DiskQueue<Item extends Sendable> implements DeliveryQueue<Item> {
  readonly #parts: DiskQueueParts<Item>;
  readonly #events: DiskQueueEvents<Item>;
  readonly #idle = Promise.withResolvers<void>();
  #log: DiskLog<Item> | undefined;
  #opening: Promise<DiskLog<Item>> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #blockedUntilMs = 0;
  /** Items that are being written. Their room is taken already. */
  #entering: Amount & { readonly bytes: number } = { ...NOTHING, bytes: 0 };
  /** Records that were read and would be sent again after `kill -9`: being sent, or finished and not noted on disk yet. */
  #inFlight = 0;
  #isReading = false;
  /** Items of the ledger in calls of `consume`. */
  #arriving = 0;
  #closed = false;
  /** Resolves when an item has left, or the queue closes. */
  #room = Promise.withResolvers<void>();

  constructor(parts: DiskQueueParts<Item>, events: DiskQueueEvents<Item>) {
    this.#parts = parts;
    this.#events = events;
  }

  /** Sends what an earlier process has left. If the storage cannot be used yet, tries again later. */
  async start(): Promise<void> {
    await this.#opened().then(
      () => this.#readNext(),
      () => this.#startLater(),
    );
  }

  get isFull(): boolean {
    return performance.now() < this.#blockedUntilMs || this.size >= this.#parts.settings.queueSize;
  }

  get size(): number {
    return this.#sizeOf(this.#amount, (this.#log?.sizeBytes ?? 0) + this.#entering.bytes);
  }

  get waitingItems(): number {
    return this.#log?.waiting.ledgerItems ?? 0;
  }

  get blockedItems(): number {
    return this.#arriving;
  }

  /**
   * @throws RetryableError `queue_full`, `storage` or `shutdown`.
   * @throws PermanentError `too_large` if the item does not even fit into an empty queue.
   */
  async consume(item: Item): Promise<void> {
    const ledgerItems = this.#parts.ledgerItems(item);
    this.#arriving += ledgerItems;
    try {
      await this.#storeWithRoom(item);
    } finally {
      this.#arriving -= ledgerItems;
    }
  }

  async drain(deadline: AbortSignal): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#makeRoom();
    this.#freePlaces();
    this.#resolveIfIdle();
    await Promise.race([this.#idle.promise, aborted(deadline)]);
  }

  async settled(): Promise<void> {
    await within(SETTLE_MS, this.#idle.promise);
    await this.#log?.close().catch((error: unknown) => this.#events.failing(error));
  }

  async #storeWithRoom(item: Item): Promise<void> {
    for (;;) {
      if (this.#closed) throw new RetryableError('shutdown', 'the sending queue is shutting down');
      try {
        return await this.#store(item);
      } catch (error) {
        if (!(error instanceof RetryableError) || !this.#parts.settings.blockOnOverflow) throw error;
      }
      await within(RETRY_MS, this.#room.promise);
    }
  }

  async #store(item: Item): Promise<void> {
    const log = await this.#opened();
    const payload = this.#parts.codec.encode(item);
    const bytes = payload.reduce((sum, { length }) => sum + length, 0);
    const amount = { records: 1, items: item.itemCount, ledgerItems: this.#parts.ledgerItems(item) };
    this.#checkRoom(log, amount, bytes);
    this.#enter(amount, bytes, 1);
    try {
      await log.append(item, payload, amount);
    } catch (error) {
      throw this.#failure(error);
    } finally {
      this.#enter(amount, bytes, -1);
    }
    this.#events.working();
    this.#readNext();
  }

  #checkRoom(log: DiskLog<Item>, amount: Amount, bytes: number): void {
    const { queueSize, sizer } = this.#parts.settings;
    const [size, added] = [this.size, this.#sizeOf(amount, bytes)];
    if (added > queueSize) {
      throw new PermanentError('too_large', `larger than the capacity of the sending queue (${queueSize} ${sizer})`);
    }
    if (size + added > queueSize || !log.hasRoomFor(bytes + this.#entering.bytes)) {
      throw new RetryableError('queue_full', `the sending queue is full (${size} of ${queueSize} ${sizer})`);
    }
  }

  #enter(amount: Amount, bytes: number, sign: 1 | -1): void {
    const now = this.#entering;
    this.#entering = {
      records: now.records + sign * amount.records,
      items: now.items + sign * amount.items,
      ledgerItems: now.ledgerItems + sign * amount.ledgerItems,
      bytes: now.bytes + sign * bytes,
    };
  }

  get #amount(): Amount {
    const { records, items, ledgerItems } = this.#log?.waiting ?? NOTHING;
    const entering = this.#entering;
    return {
      records: records + entering.records,
      items: items + entering.items,
      ledgerItems: ledgerItems + entering.ledgerItems,
    };
  }

  #sizeOf({ records, items }: Amount, bytes: number): number {
    const { sizer } = this.#parts.settings;
    if (sizer === 'bytes') return bytes;
    return sizer === 'items' ? items : records;
  }

  /** @throws RetryableError `storage`. */
  async #opened(): Promise<DiskLog<Item>> {
    if (this.#log !== undefined) return this.#log;
    if (performance.now() < this.#blockedUntilMs) throw new RetryableError('storage', 'the storage cannot be used');
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    try {
      return await this.#opening;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  async #open(): Promise<DiskLog<Item>> {
    const log = await DiskLog.open<Item>({
      ...(await this.#parts.locate()),
      onCorrupt: ({ ledgerItems }, setAsideAs) => this.#events.corrupt(ledgerItems, setAsideAs),
    });
    this.#events.recovered(log.waiting.ledgerItems);
    this.#log = log;
    return log;
  }

  #startLater(): void {
    this.#timer = setTimeout(() => void this.start(), RETRY_MS);
  }

  #failure(error: unknown): RetryableError {
    if (error instanceof RetryableError) return error;
    this.#blockedUntilMs = performance.now() + RETRY_MS;
    this.#events.failing(error);
    return new RetryableError('storage', `the sending queue cannot be written: ${(error as Error).message}`, {
      cause: error,
    });
  }

  /** Reads records until as many are being sent as allowed. */
  #readNext(): void {
    this.#freePlaces();
    if (this.#isReading || this.#closed) return;
    this.#isReading = true;
    void this.#read().finally(() => {
      this.#isReading = false;
      this.#resolveIfIdle();
    });
  }

  /** Never rejects. */
  async #read(): Promise<void> {
    try {
      while (!this.#closed && this.#inFlight < this.#parts.settings.numConsumers) {
        const found = await this.#log?.next();
        if (found === undefined) return;
        this.#inFlight++;
        void this.#send(found);
      }
    } catch (error) {
      this.#events.failing(error);
      this.#timer = setTimeout(() => this.#readNext(), RETRY_MS);
    }
  }

  /** Never rejects. */
  async #send(found: LogRecord<Item>): Promise<void> {
    try {
      const { content, amount } = found.record;
      const item = 'item' in content ? content.item : this.#parts.codec.decode(content.payload, amount.items);
      const finished = await this.#attempt(item);
      if (finished !== undefined) {
        const noting = this.#log?.finish(found);
        finished();
        this.#makeRoom();
        this.#freePlaces();
        await noting;
      }
    } catch (error) {
      // The record is sent again after a restart.
      this.#events.failing(error);
    }
    this.#inFlight--;
    this.#makeRoom();
    this.#readNext();
    this.#resolveIfIdle();
  }

  /** Notes what is finished, if the places of these records may be needed. Otherwise a write notes several of them. */
  #freePlaces(): void {
    if (this.#closed || this.#inFlight >= this.#parts.settings.numConsumers) this.#log?.note();
  }

  /** Returns how to count the outcome. Undefined if the item stays in the queue, because the shutdown has begun. */
  async #attempt(item: Item): Promise<(() => void) | undefined> {
    try {
      await this.#parts.next.consume(item);
      return () => this.#events.sent(item);
    } catch (error) {
      if (isShutdown(error) || error instanceof RetryableError) return undefined;
      return () => this.#events.dropped(item, error);
    }
  }

  #makeRoom(): void {
    this.#room.resolve();
    this.#room = Promise.withResolvers();
  }

  #resolveIfIdle(): void {
    if (this.#closed && this.#inFlight === 0 && !this.#isReading) this.#idle.resolve();
  }
}

/** Resolves with the promise, or after the time. */
async function within(timeMs: number, promise: Promise<void>): Promise<void> {
  const patience = new AbortController();
  await Promise.race([promise, sleep(timeMs, undefined, { signal: patience.signal }).catch(() => undefined)]);
  patience.abort();
}

function isShutdown(error: unknown): boolean {
  return error instanceof PermanentError && error.code === 'shutdown';
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { QueueSettings } from '../component.ts';
import { PermanentError, RetryableError } from '../errors.ts';
import { aborted } from '../aborted.ts';
import type { DeliveryQueue, QueueEvents, Sendable, Sender } from './delivery-queue.ts';

/** How long `settled` waits. Shorter than the collector's grace period after the deadline. */
const SETTLE_MS = 500;

/**
 * A bounded queue in memory. `consume` resolves as soon as the item is in the queue, which is then responsible for it.
 * Items in flight still count against the capacity, as in the stock Collector.
 */
export class SendingQueue<Item extends Sendable> implements DeliveryQueue<Item> {
  readonly #next: Sender<Item>;
  readonly #settings: QueueSettings;
  readonly #ledgerItems: (item: Item) => number;
  readonly #events: QueueEvents<Item>;
  readonly #waiting: Item[] = [];
  readonly #inFlight: Item[] = [];
  /** Callers that wait for room, with `block_on_overflow`. */
  readonly #blocked: { readonly batch: Item; readonly settle: (error?: Error) => void }[] = [];
  readonly #idle = Promise.withResolvers<void>();
  #size = 0;
  #waitingItems = 0;
  #blockedItems = 0;
  #closed = false;

  /** @param ledgerItems the number of items in the ledger. */
  constructor(
    next: Sender<Item>,
    settings: QueueSettings,
    ledgerItems: (item: Item) => number,
    events: QueueEvents<Item>,
  ) {
    this.#ledgerItems = ledgerItems;
    this.#next = next;
    this.#settings = settings;
    this.#events = events;
  }

  /** True if the next item would have to wait, even a small one. */
  get isFull(): boolean {
    return this.#blocked.length > 0 || this.#size >= this.#settings.queueSize;
  }

  /** In the unit of the sizer. */
  get size(): number {
    return this.#size;
  }

  get waitingItems(): number {
    return this.#waitingItems;
  }

  get blockedItems(): number {
    return this.#blockedItems;
  }

  /**
   * @throws RetryableError `queue_full` or `shutdown`.
   * @throws PermanentError `too_large` if the item does not even fit into an empty queue.
   */
  async consume(batch: Item): Promise<void> {
    if (this.#closed) throw closedError();
    const { queueSize, sizer, blockOnOverflow } = this.#settings;
    if (this.#sizeOf(batch) > queueSize) {
      throw new PermanentError('too_large', `larger than the capacity of the sending queue (${queueSize} ${sizer})`);
    }
    if (this.#blocked.length === 0 && this.#fits(batch)) this.#enqueue(batch);
    else if (blockOnOverflow) await this.#room(batch);
    else throw new RetryableError('queue_full', `the sending queue is full (${queueSize} ${sizer})`);
  }

  /** Accepts nothing more. Resolves when everything is sent or dropped, or when the deadline aborts. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#closed = true;
    this.#blockedItems = 0;
    for (const { settle } of this.#blocked.splice(0)) settle(closedError());
    this.#resolveIfIdle();
    await Promise.race([this.#idle.promise, aborted(deadline)]);
    for (const batch of this.#waiting.splice(0)) this.#drop(batch, new PermanentError('shutdown', 'not sent in time'));
    this.#resolveIfIdle();
  }

  /** After `drain`: waits a moment for items in flight, then drops them. Each is counted once, also if it still arrives. */
  async settled(): Promise<void> {
    const patience = new AbortController();
    const overdue = sleep(SETTLE_MS, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([this.#idle.promise, overdue]);
    patience.abort();
    for (const batch of this.#inFlight.splice(0)) this.#drop(batch, new PermanentError('shutdown', 'not sent in time'));
  }

  #room(batch: Item): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#blockedItems += this.#ledgerItems(batch);
    this.#blocked.push({ batch, settle: (error) => (error === undefined ? resolve() : reject(error)) });
    return promise;
  }

  #enqueue(batch: Item): void {
    this.#size += this.#sizeOf(batch);
    this.#waitingItems += this.#ledgerItems(batch);
    this.#waiting.push(batch);
    this.#sendNext();
  }

  #sendNext(): void {
    while (this.#inFlight.length < this.#settings.numConsumers) {
      const batch = this.#waiting.shift();
      if (batch === undefined) return;
      this.#inFlight.push(batch);
      void this.#send(batch);
    }
  }

  /** Never rejects. */
  async #send(batch: Item): Promise<void> {
    try {
      await this.#next.consume(batch);
      if (this.#land(batch)) {
        this.#release(batch);
        this.#events.sent(batch);
      }
    } catch (error) {
      if (this.#land(batch)) this.#drop(batch, error);
    }
    this.#admitBlocked();
    this.#sendNext();
    this.#resolveIfIdle();
  }

  /** False if `settled` has dropped the item meanwhile. */
  #land(batch: Item): boolean {
    const index = this.#inFlight.indexOf(batch);
    if (index >= 0) this.#inFlight.splice(index, 1);
    return index >= 0;
  }

  #drop(batch: Item, error: unknown): void {
    this.#release(batch);
    this.#events.dropped(batch, error);
  }

  #release(batch: Item): void {
    this.#size -= this.#sizeOf(batch);
    this.#waitingItems -= this.#ledgerItems(batch);
  }

  #admitBlocked(): void {
    for (let first = this.#blocked[0]; first !== undefined && this.#fits(first.batch); first = this.#blocked[0]) {
      this.#blocked.shift();
      this.#blockedItems -= this.#ledgerItems(first.batch);
      this.#enqueue(first.batch);
      first.settle();
    }
  }

  #fits(batch: Item): boolean {
    return this.#size + this.#sizeOf(batch) <= this.#settings.queueSize;
  }

  #sizeOf(batch: Item): number {
    if (this.#settings.sizer === 'items') return batch.itemCount;
    return this.#settings.sizer === 'bytes' ? batch.sizeBytes : 1;
  }

  #resolveIfIdle(): void {
    if (this.#closed && this.#inFlight.length === 0 && this.#waiting.length === 0) this.#idle.resolve();
  }
}

function closedError(): RetryableError {
  return new RetryableError('shutdown', 'the sending queue is shutting down');
}

import type { DeliverySettings } from '../component.ts';
import type { Incident } from '../incident.ts';
import { Retry } from './retry.ts';
import { SendingQueue, type Sendable, type Sender } from './sending-queue.ts';

/** Called for every item, for counters and logs. */
export interface DeliveryEvents<Item> {
  readonly sent: (item: Item) => void;
  /** The last attempt failed. */
  readonly failed?: (item: Item, error: unknown) => void;
  /** The queue had accepted the item, and it is lost. */
  readonly dropped: (item: Item, error: unknown) => void;
  /** The queue did not accept the item. */
  readonly refused?: (item: Item, error: unknown) => void;
  /** While attempts fail and are repeated. */
  readonly retrying: Incident;
  /** While items from the queue are dropped. May be the same as `retrying`. */
  readonly dropping: Incident;
}

/** From an item to its destination: queue, then retry, then single attempts. Parts without settings are left out. */
export class Delivery<Item extends Sendable> implements Sender<Item> {
  readonly #next: Sender<Item>;
  readonly #events: DeliveryEvents<Item>;
  readonly #retry: Retry<Item> | undefined;
  readonly #queue: SendingQueue<Item> | undefined;

  constructor(attempt: Sender<Item>, { queue, retry }: DeliverySettings, events: DeliveryEvents<Item>) {
    this.#events = events;
    this.#retry = retry && new Retry(attempt, retry, events.retrying);
    this.#next = this.#retry ?? attempt;
    this.#queue = queue && this.#createQueue(queue);
  }

  /** True if the next item would have to wait, even a small one. */
  get isFull(): boolean {
    return this.#queue?.isFull ?? false;
  }

  /** How full the queue is, in the unit of its sizer. */
  get size(): number {
    return this.#queue?.size ?? 0;
  }

  /** With a queue, resolves when the item is in it; otherwise when it is sent. */
  async consume(item: Item): Promise<void> {
    if (this.#queue === undefined) return await this.#send(item);
    try {
      await this.#queue.consume(item);
    } catch (error) {
      this.#events.refused?.(item, error);
      throw error;
    }
  }

  /** From now on nothing waits longer than the deadline. */
  stopBy(deadline: AbortSignal): void {
    this.#retry?.stopBy(deadline);
  }

  /** Accepts nothing more. Resolves when everything accepted is sent or dropped, or when the deadline aborts. */
  async drain(deadline: AbortSignal): Promise<void> {
    await this.#queue?.drain(deadline);
  }

  /** After `drain`: waits a moment for what is still being sent, then drops it. */
  async settled(): Promise<void> {
    await this.#queue?.settled();
  }

  #createQueue(settings: NonNullable<DeliverySettings['queue']>): SendingQueue<Item> {
    const next = {
      consume: async (item: Item): Promise<void> => {
        await this.#send(item);
        this.#events.dropping.succeeded();
      },
    };
    return new SendingQueue(next, settings, (item, error) => {
      this.#events.dropped(item, error);
      this.#events.dropping.failed(error);
    });
  }

  async #send(item: Item): Promise<void> {
    try {
      await this.#next.consume(item);
    } catch (error) {
      this.#events.failed?.(item, error);
      throw error;
    }
    this.#events.sent(item);
  }
}

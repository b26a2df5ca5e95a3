import type { DeliverySettings, Host, PartialSuccess, QueueSettings, RetrySettings } from '../component.ts';
import { PermanentError, RetryableError } from '../errors.ts';
import type { Incident } from '../incident.ts';
import { Retry } from './retry.ts';
import type { StorageOwner } from '../storage.ts';
import type { DeliveryQueue, QueueEvents, Sendable, Sender } from './delivery-queue.ts';
import { DiskQueue, type DiskQueueParts, type ItemCodec } from './disk/disk-queue.ts';
import { SendingQueue } from './sending-queue.ts';

/** Called for every item, for counters and logs. */
export interface DeliveryEvents<Item> {
  /** The queue, or without one the destination, has the item. */
  readonly accepted?: (item: Item) => void;
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
  /** While a queue on disk cannot be written or read. */
  readonly storing: Incident;
  /** A queue on disk contains items from an earlier process. */
  readonly recovered: (ledgerItems: number) => void;
  /** An entry of a queue on disk cannot be read. */
  readonly corrupt: (ledgerItems: number, setAsideAs: string | undefined) => void;
}

/** The items of a queue as bytes and in the ledger. */
export interface ItemForm<Item> extends ItemCodec<Item> {
  /** The number of items in the ledger. */
  ledgerItems(item: Item): number;
}

/** For a queue on disk without `retry_on_failure`. */
const DEFAULT_RETRY: RetrySettings = {
  initialIntervalMs: 5000,
  maxIntervalMs: 30_000,
  maxElapsedTimeMs: 300_000,
  multiplier: 1.5,
  randomizationFactor: 0.5,
};

/** From an item to its destination: queue, then retry, then single attempts. Parts without settings are left out. */
export class Delivery<Item extends Sendable> implements Sender<Item> {
  readonly #next: Sender<Item>;
  readonly #events: DeliveryEvents<Item>;
  readonly #retry: Retry<Item> | undefined;
  readonly #queue: DeliveryQueue<Item> | undefined;
  readonly #disk: DiskQueue<Item> | undefined;
  #locate: DiskQueueParts<Item>['locate'] = () =>
    Promise.reject(new RetryableError('not_running', 'the exporter is not running'));

  constructor(
    attempt: Sender<Item>,
    { queue, retry }: DeliverySettings,
    form: ItemForm<Item>,
    events: DeliveryEvents<Item>,
  ) {
    this.#events = events;
    // On disk, items wait as long as the backend is away.
    const lasting = queue?.storage === undefined ? retry : { ...(retry ?? DEFAULT_RETRY), outlastsAbsence: true };
    this.#retry = lasting && new Retry(attempt, lasting, events.retrying);
    this.#next = this.#retry ?? attempt;
    this.#disk = queue?.storage && this.#createDiskQueue(queue, form);
    this.#queue = this.#disk ?? (queue && this.#createQueue(queue, form));
  }

  /** Opens a queue on disk. @param owner the owner of its directory. */
  async start(host: Host, { queue }: DeliverySettings, owner: StorageOwner): Promise<void> {
    const storage = queue?.storage;
    if (this.#disk === undefined || storage === undefined) return;
    this.#locate = async () => await host.extension(storage).directory(owner);
    await this.#disk.start();
  }

  /** True if the next item would have to wait, even a small one. */
  get isFull(): boolean {
    return this.#queue?.isFull ?? false;
  }

  /** How full the queue is, in the unit of its sizer. */
  get size(): number {
    return this.#queue?.size ?? 0;
  }

  /** The items of the ledger that were accepted and are not sent yet. */
  get waitingItems(): number {
    return this.#queue?.waitingItems ?? 0;
  }

  /** The items of the ledger whose senders wait for room in the queue. */
  get blockedItems(): number {
    return this.#queue?.blockedItems ?? 0;
  }

  /** With a queue, resolves when the item is in it; otherwise when it is sent. */
  async consume(item: Item): Promise<PartialSuccess | void> {
    if (this.#queue === undefined) {
      const partial = await this.#send(item);
      this.#events.accepted?.(item);
      this.#events.sent(item);
      return partial;
    }
    try {
      await this.#queue.consume(item);
    } catch (error) {
      this.#events.refused?.(item, error);
      throw error;
    }
    this.#events.accepted?.(item);
  }

  /** From now on nothing waits longer than the deadline. */
  stopBy(deadline: AbortSignal): void {
    // Items on disk need no further attempt.
    this.#retry?.stopBy(this.#disk === undefined ? deadline : AbortSignal.abort());
  }

  /** Accepts nothing more. Resolves when everything accepted is sent or dropped, or when the deadline aborts. */
  async drain(deadline: AbortSignal): Promise<void> {
    await this.#queue?.drain(deadline);
  }

  /** After `drain`: waits a moment for what is still being sent, then drops it. */
  async settled(): Promise<void> {
    await this.#queue?.settled();
  }

  #createDiskQueue(settings: QueueSettings, form: ItemForm<Item>): DiskQueue<Item> {
    const { storing, recovered, corrupt } = this.#events;
    return new DiskQueue(
      {
        next: this.#sender,
        settings,
        codec: form,
        ledgerItems: form.ledgerItems.bind(form),
        locate: async () => await this.#locate(),
      },
      {
        ...this.#outcomes,
        recovered,
        corrupt,
        working: () => storing.succeeded(),
        failing: (error) => storing.failed(error),
      },
    );
  }

  #createQueue(settings: QueueSettings, form: ItemForm<Item>): SendingQueue<Item> {
    return new SendingQueue(this.#sender, settings, form.ledgerItems.bind(form), this.#outcomes);
  }

  get #sender(): Sender<Item> {
    return { consume: async (item) => await this.#send(item) };
  }

  get #outcomes(): QueueEvents<Item> {
    return {
      sent: (item) => {
        this.#events.sent(item);
        this.#events.dropping.succeeded();
      },
      dropped: (item, error) => {
        this.#events.dropped(item, error);
        this.#events.dropping.failed(error);
      },
    };
  }

  async #send(item: Item): Promise<PartialSuccess | void> {
    try {
      return await this.#next.consume(item);
    } catch (error) {
      const isKept = this.#disk !== undefined && error instanceof PermanentError && error.code === 'shutdown';
      if (!isKept) this.#events.failed?.(item, error);
      throw error;
    }
  }
}

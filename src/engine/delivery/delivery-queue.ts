import type { PartialSuccess, TelemetryBatch } from '../component.ts';

/** An item that a queue can measure: a batch, or something that an exporter creates from batches. */
export type Sendable = Pick<TelemetryBatch, 'itemCount' | 'sizeBytes'>;

/** A `Consumer` of items other than batches. */
export interface Sender<Item> {
  consume(item: Item): Promise<PartialSuccess | void>;
}

/** Called once for each item that the queue had accepted. */
export interface QueueEvents<Item> {
  readonly sent: (item: Item) => void;
  readonly dropped: (item: Item, error: unknown) => void;
}

/** A bounded queue. `consume` resolves when the item is in the queue, which is then responsible for it. */
export interface DeliveryQueue<Item> extends Sender<Item> {
  consume(item: Item): Promise<void>;
  /** True if the next item would have to wait, even a small one. */
  readonly isFull: boolean;
  /** In the unit of the sizer. */
  readonly size: number;
  /** The items of the ledger that it has accepted and not yet sent. */
  readonly waitingItems: number;
  /** The items of the ledger that wait for room, with `block_on_overflow`. */
  readonly blockedItems: number;
  /** Accepts nothing more. Resolves when it sends nothing any more, or when the deadline aborts. */
  drain(deadline: AbortSignal): Promise<void>;
  /** After `drain`: waits a moment for items in flight, then gives them up. */
  settled(): Promise<void>;
}

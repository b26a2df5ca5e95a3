import type { Consumer, PartialSuccess, TelemetryBatch } from '../component.ts';

/**
 * The consumer that a component calls `next`. The component keeps it for its whole life, while a reload of the
 * configuration exchanges what is behind it.
 */
export class Outlet implements Consumer {
  #way: Way | undefined;
  /** Resolves when the outlet is connected again; undefined while it is not held. */
  #held: PromiseWithResolvers<void> | undefined;

  async consume(batch: TelemetryBatch): Promise<PartialSuccess | void> {
    while (this.#held !== undefined) await this.#held.promise;
    if (this.#way === undefined) throw new Error('the outlet is not connected');
    return await this.#way.consume(batch);
  }

  /**
   * From now on batches go to this consumer, also those that waited. Resolves when the consumer before it has answered
   * all of its batches.
   */
  async connect(target: Consumer): Promise<void> {
    const before = this.#way;
    this.#way = new Way(target);
    const held = this.#held;
    this.#held = undefined;
    held?.resolve();
    await before?.quiet();
  }

  /** Lets new batches wait until `connect`. Resolves when the consumer has answered all earlier ones. */
  async hold(): Promise<void> {
    this.#held ??= Promise.withResolvers();
    await this.#way?.quiet();
  }
}

/** A consumer that knows whether it works. */
class Way implements Consumer {
  readonly #target: Consumer;
  #running = 0;
  #quiet: PromiseWithResolvers<void> | undefined;

  constructor(target: Consumer) {
    this.#target = target;
  }

  async consume(batch: TelemetryBatch): Promise<PartialSuccess | void> {
    this.#running++;
    try {
      return await this.#target.consume(batch);
    } finally {
      if (--this.#running === 0) this.#quiet?.resolve();
    }
  }

  /** Resolves when no batch is being consumed. Called after the last one began. */
  async quiet(): Promise<void> {
    if (this.#running === 0) return;
    this.#quiet ??= Promise.withResolvers();
    await this.#quiet.promise;
  }
}

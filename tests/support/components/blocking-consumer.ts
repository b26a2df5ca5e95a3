import type { Consumer, TelemetryBatch } from '../../../src/engine/component.ts';

/** A consumer that blocks every batch until the test opens it or makes it fail. */
export class BlockingConsumer implements Consumer {
  readonly received: TelemetryBatch[] = [];
  readonly accepted: TelemetryBatch[] = [];
  readonly #opened = Promise.withResolvers<void>();

  async consume(batch: TelemetryBatch): Promise<void> {
    this.received.push(batch);
    await this.#opened.promise;
    this.accepted.push(batch);
  }

  open(): void {
    this.#opened.resolve();
  }

  fail(error: Error): void {
    this.#opened.reject(error);
  }
}

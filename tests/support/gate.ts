import type { Consumer, TelemetryBatch } from '../../src/engine/component.ts';

/** A consumer that holds every batch until it is opened, or made to fail. */
export class Gate implements Consumer {
  readonly given: TelemetryBatch[] = [];
  readonly taken: TelemetryBatch[] = [];
  readonly #opened = Promise.withResolvers<void>();

  async consume(batch: TelemetryBatch): Promise<void> {
    this.given.push(batch);
    await this.#opened.promise;
    this.taken.push(batch);
  }

  open(): void {
    this.#opened.resolve();
  }

  fail(error: Error): void {
    this.#opened.reject(error);
  }
}

import type { Component, Consumer, PartialSuccess, TelemetryBatch } from '../../../engine/component.ts';
import type { Correlation } from './correlation.ts';

/** In a pipeline of traces it remembers spans, in a pipeline of metrics it adds exemplars that refer to them. */
export class ExemplarsProcessor implements Component, Consumer {
  readonly #correlation: Correlation;
  readonly #next: Consumer;

  constructor(correlation: Correlation, next: Consumer) {
    this.#correlation = correlation;
    this.#next = next;
  }

  async start(): Promise<void> {}

  async consume(batch: TelemetryBatch): Promise<PartialSuccess | void> {
    if (batch.signal === 'metrics') return await this.#next.consume(await this.#correlation.withExemplars(batch));
    const result = await this.#next.consume(batch);
    // An exemplar must not refer to a span that was refused.
    await this.#correlation.takeSpans(batch);
    return result;
  }

  async shutdown(): Promise<void> {}
}

import * as v from 'valibot';
import type {
  Component,
  Consumer,
  DeliverySettings,
  ExporterFactory,
  TelemetryBatch,
} from '../../../src/engine/component.ts';

/** Keeps the batches that it receives. `answer` decides for each attempt whether a batch is accepted. */
export class SinkExporter implements Component, Consumer {
  readonly batches: TelemetryBatch[] = [];
  attempts = 0;
  answer: (attempt: number) => void | Promise<void> = () => undefined;
  readonly #onEvent: (event: string) => void;

  constructor(onEvent: (event: string) => void = () => undefined) {
    this.#onEvent = onEvent;
  }

  async start(): Promise<void> {
    this.#onEvent('start');
  }

  async consume(batch: TelemetryBatch): Promise<void> {
    await this.answer(++this.attempts);
    this.batches.push(batch);
  }

  async shutdown(): Promise<void> {
    this.#onEvent('shutdown');
  }

  get items(): number {
    return this.batches.reduce((sum, { itemCount }) => sum + itemCount, 0);
  }
}

/** A factory that returns this instance. */
export function sinkFactory(sink: SinkExporter, delivery: DeliverySettings = {}): ExporterFactory {
  return {
    kind: 'exporter',
    type: 'sink',
    signals: ['traces', 'metrics', 'logs'],
    stability: 'development',
    config: v.unknown(),
    delivery: () => delivery,
    create: () => sink,
  };
}

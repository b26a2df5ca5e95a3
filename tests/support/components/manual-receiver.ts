import * as v from 'valibot';
import type { Consumer, ReceiverFactory, TelemetryBatch } from '../../../src/engine/component.ts';

/** A receiver that passes on the batches that a test sends. */
export class ManualReceiver {
  readonly factory: ReceiverFactory;
  #next: Consumer | undefined;

  constructor(onEvent: (event: string) => void = () => undefined, startError?: Error) {
    this.factory = {
      kind: 'receiver',
      type: 'manual',
      signals: ['traces', 'metrics', 'logs'],
      stability: 'development',
      config: v.unknown(),
      create: (_settings, _config, next) => {
        this.#next = next('http');
        return {
          start: async () => {
            if (startError !== undefined) throw startError;
            onEvent('start');
          },
          shutdown: async () => onEvent('shutdown'),
        };
      },
    };
  }

  async send(batch: TelemetryBatch): Promise<void> {
    if (this.#next === undefined) throw new Error('the receiver has not been built');
    await this.#next.consume(batch);
  }
}

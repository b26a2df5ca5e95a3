import type { Consumer, PartialSuccess, Signal, TelemetryBatch } from '../component.ts';
import { PermanentError } from '../errors.ts';

/** Passes each batch to the consumer of its signal. */
export function routeBySignal(consumers: ReadonlyMap<Signal, Consumer>): Consumer {
  return {
    consume: async (batch: TelemetryBatch): Promise<PartialSuccess | void> => {
      const consumer = consumers.get(batch.signal);
      if (consumer === undefined) throw new PermanentError('no_pipeline', `no pipeline for ${batch.signal}`);
      return await consumer.consume(batch);
    },
  };
}

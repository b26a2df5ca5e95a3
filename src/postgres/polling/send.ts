import type { Consumer, TelemetryBatch } from '../../engine/component.ts';
import { PipelineRefusal } from './poll-failure.ts';

/** Sends a request to the pipeline. @throws PipelineRefusal */
export async function send(
  consumer: Consumer,
  { signal, chunk, itemCount }: Pick<TelemetryBatch, 'signal' | 'itemCount'> & { readonly chunk: Uint8Array },
): Promise<void> {
  try {
    await consumer.consume({ signal, chunks: [chunk], itemCount, sizeBytes: chunk.length, isOwn: true });
  } catch (error) {
    throw new PipelineRefusal('the pipeline refused the result of a query', { cause: error });
  }
}

import type { TelemetryBatch } from '../../../engine/component.ts';
import { joinBatches, rewriteSteps } from '../../../engine/otlp/items.ts';

/**
 * Cuts a batch into batches of `maxItems`, except that the last one may have fewer; 0 means no limit. Chunks that need
 * no cut are passed on as they are. Yields where other work may run.
 */
export function* splitBatch(batch: TelemetryBatch, maxItems: number): Generator<undefined, readonly TelemetryBatch[]> {
  if (maxItems === 0 || batch.itemCount <= maxItems) return [batch];
  const groups: TelemetryBatch[][] = [[]];
  let groupItems = 0;
  let room = maxItems;
  for (const chunk of batch.chunks) {
    let isFirst = true;
    const parts = yield* rewriteSteps(batch.signal, chunk, () => {
      const isFull = room === 0;
      const cuts = isFull && !isFirst;
      room = (isFull ? maxItems : room) - 1;
      isFirst = false;
      return cuts ? 'cut' : 'keep';
    });
    yield;
    for (const part of parts) {
      if (groupItems + part.itemCount > maxItems) {
        groups.push([]);
        groupItems = 0;
      }
      groups.at(-1)?.push(part);
      groupItems += part.itemCount;
    }
  }
  return groups.map((group) => joinBatches(batch.signal, group));
}

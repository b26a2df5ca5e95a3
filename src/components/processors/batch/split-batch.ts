import type { TelemetryBatch } from '../../../engine/component.ts';
import { joinBatches, rewriteRequest } from '../../../engine/otlp/items.ts';

/**
 * Cuts a batch into batches of `maxItems`, except that the last one may have fewer; 0 means no limit. Chunks that need
 * no cut are passed on as they are.
 */
export function splitBatch(batch: TelemetryBatch, maxItems: number): readonly TelemetryBatch[] {
  if (maxItems === 0 || batch.itemCount <= maxItems) return [batch];
  const groups: TelemetryBatch[][] = [[]];
  let groupItems = 0;
  let room = maxItems;
  for (const chunk of batch.chunks) {
    let isFirst = true;
    const parts = rewriteRequest(batch.signal, chunk, () => {
      const isFull = room === 0;
      const cuts = isFull && !isFirst;
      room = (isFull ? maxItems : room) - 1;
      isFirst = false;
      return cuts ? 'cut' : 'keep';
    });
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

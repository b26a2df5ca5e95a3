import { expect, it } from 'vitest';
import { spansBatch } from '../../../tests/support/components/batches.ts';
import type { TelemetryBatch } from '../component.ts';
import { Taps } from './taps.ts';

it('shows batches of one edge while somebody watches, and passes all of them on', async () => {
  const taps = new Taps();
  const [passed, seen]: [TelemetryBatch[], TelemetryBatch[]] = [[], []];
  const end = { consume: async (batch: TelemetryBatch) => void passed.push(batch) };
  const edge = taps.through('traces', 1, end);
  const other = taps.through('traces', 0, end);
  const batch = spansBatch(['a']);
  await edge.consume(batch);
  {
    using watched = taps.watch('traces', 1, (one) => void seen.push(one));
    expect(watched).toBeDefined();
    await edge.consume(batch);
    await other.consume(batch);
    // After a reload.
    await taps.through('traces', 1, end).consume(batch);
  }
  await edge.consume(batch);
  expect([passed.length, seen.length]).toEqual([5, 2]);
  expect(seen[0]).toBe(batch);
  expect(taps.watch('traces', 2, () => undefined)).toBeUndefined();
});

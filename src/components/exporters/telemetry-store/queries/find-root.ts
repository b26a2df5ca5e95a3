import { viewOf } from '../../../../engine/columns/hash-bytes.ts';
import { hasLong, spanAt, type StoredSpan } from '../memory/record.ts';
import type { TelemetryMemory } from '../memory/telemetry-memory.ts';

const ROWS_A_STEP = 1024;

/** The span of a trace that has no parent; undefined if it is not in the store. */
export function* rootOf(memory: TelemetryMemory, traceId: string): Generator<undefined, StoredSpan | undefined> {
  const id = Buffer.from(traceId, 'hex');
  for (const segment of memory.segments) {
    const trace = segment.traces.find(viewOf(id), 0, id.length);
    const { spans } = segment;
    const count = trace < 0 ? 0 : spans.count;
    for (let row = 0; row < count; row++) {
      if (row % ROWS_A_STEP === 0) yield;
      if (spans.cells.trace[row] === trace && !hasLong(spans.cells.parentId, row)) return spanAt(segment, row);
    }
    yield;
  }
  return undefined;
}

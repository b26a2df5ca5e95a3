import { viewOf } from '../../../../engine/columns/hash-bytes.ts';
import { millisecondsAt } from '../memory/record.ts';
import type { Segment } from '../memory/segment.ts';
import type { TelemetryMemory } from '../memory/telemetry-memory.ts';

/** Where a span or a log record is. Reading it takes more memory than the store needs for it. */
export interface Place {
  readonly segment: Segment;
  readonly row: number;
  readonly timeMs: number;
}

export interface FoundTrace {
  readonly traceId: string;
  /** In the order in which they began. */
  readonly spans: readonly Place[];
  readonly logs: readonly Place[];
  /** How many there are in the store; more than in the lists if these were cut. */
  readonly spanCount: number;
  readonly logCount: number;
}

const ROWS_A_STEP = 1024;
const PLACES_A_STEP = 4096;
/** More ids with the same beginning are not listed. */
const MAX_IDS = 10;

/** The ids of traces that begin with these lower-case hexadecimal digits, at most ten. */
export function* traceIdsWith(memory: TelemetryMemory, prefix: string): Generator<undefined, string[]> {
  const ids = new Set<string>();
  const wholeBytes = Buffer.from(prefix.slice(0, prefix.length & ~1), 'hex');
  for (const { traces } of memory.segments) {
    for (let trace = 0; trace < traces.count && ids.size < MAX_IDS; trace++) {
      const id = traces.bytesOf(trace);
      if (id.compare(wholeBytes, 0, wholeBytes.length, 0, wholeBytes.length) !== 0) continue;
      const hex = id.toString('hex');
      if (hex.startsWith(prefix)) ids.add(hex);
    }
    yield;
  }
  return [...ids];
}

/** Finds all that belongs to a trace. @param limit the number of spans and the number of log records. */
export function* findTrace(memory: TelemetryMemory, traceId: string, limit: number): Generator<undefined, FoundTrace> {
  const id = Buffer.from(traceId, 'hex');
  const spans = new Map<string, Place>();
  const logs: Place[] = [];
  for (const segment of memory.segments) {
    const trace = segment.traces.find(viewOf(id), 0, id.length);
    if (trace >= 0) yield* collect(segment, trace, { spans, logs });
    yield;
  }
  return {
    traceId,
    spans: yield* earliest(spans.values(), limit),
    logs: yield* earliest(logs, limit),
    spanCount: spans.size,
    logCount: logs.length,
  };
}

function* collect(
  segment: Segment,
  trace: number,
  found: { readonly spans: Map<string, Place>; readonly logs: Place[] },
): Generator<undefined> {
  const { spans, logs } = segment;
  for (let row = 0; row < spans.count; row++) {
    if (row % ROWS_A_STEP === 0) yield;
    if (spans.cells.trace[row] !== trace) continue;
    const { spanId, startNs } = spans.cells;
    // A sender that was not answered sends a span again.
    found.spans.set(`${spanId[2 * row]} ${spanId[2 * row + 1]}`, {
      segment,
      row,
      timeMs: millisecondsAt(startNs, row),
    });
  }
  for (let row = 0; row < logs.count; row++) {
    if (row % ROWS_A_STEP === 0) yield;
    if (logs.cells.trace[row] !== trace + 1) continue;
    found.logs.push({ segment, row, timeMs: millisecondsAt(logs.cells.timeNs, row) });
  }
}

/** The first ones in the order of time. Sorts a part at a time, because a trace may be as large as the store. */
function* earliest(places: Iterable<Place>, limit: number): Generator<undefined, readonly Place[]> {
  let first: Place[] = [];
  let waiting: Place[] = [];
  for (const place of places) {
    waiting.push(place);
    if (waiting.length < PLACES_A_STEP) continue;
    first = [...first, ...waiting].toSorted(byTime).slice(0, limit);
    waiting = [];
    yield;
  }
  return [...first, ...waiting].toSorted(byTime).slice(0, limit);
}

function byTime(a: Place, b: Place): number {
  return a.timeMs - b.timeMs;
}

import { anyValueToText } from '../../../../engine/otlp/any-value.ts';
import { viewOf } from '../../../../engine/columns/hash-bytes.ts';
import { millisecondsAt, pairOf } from '../memory/record.ts';
import type { Segment } from '../memory/segment.ts';
import type { TelemetryMemory } from '../memory/telemetry-memory.ts';
import { SegmentCriteria, type Criteria } from './criteria.ts';
import type { Place } from './find-trace.ts';
import { firstRowAfter } from './find-traces.ts';

export interface LogCriteria extends Criteria {
  /** 32 hexadecimal digits. */
  readonly traceId?: string | undefined;
  /** The lowest severity number. */
  readonly minSeverity?: number | undefined;
  /** A part of the body, in any case. */
  readonly text?: string | undefined;
  /** Only records that arrived after so many others. */
  readonly after?: number | undefined;
  /** The number of records, newest first. */
  readonly limit: number;
}

const ROWS_A_STEP = 1024;

export interface FoundLogs {
  /** In the order of time. */
  readonly places: readonly Place[];
  /** True if the limit left out others. */
  readonly hasMore: boolean;
}

/** Finds the newest log records. */
export function* findLogs(memory: TelemetryMemory, criteria: LogCriteria): Generator<undefined, FoundLogs> {
  let found: Place[] = [];
  let hasMore = false;
  const keepNewest = (): void => {
    hasMore ||= found.length > criteria.limit;
    found = found.toSorted((a, b) => a.timeMs - b.timeMs).slice(-criteria.limit);
  };
  for (const segment of memory.segments) {
    for (const place of fittingIn(segment, criteria)) {
      if (place === undefined) yield;
      else found.push(place);
    }
    if (found.length > 4 * criteria.limit) keepNewest();
    yield;
  }
  keepNewest();
  return { places: found, hasMore };
}

/** Yields undefined where other work may run. */
function* fittingIn(segment: Segment, criteria: LogCriteria): Generator<Place | undefined> {
  const { logs } = segment;
  const firstRow = firstRowAfter(segment.arrivals?.logs, criteria.after);
  const fits = firstRow < logs.count ? rowTest(segment, criteria) : undefined;
  if (fits === undefined) return;
  for (let row = firstRow; row < logs.count; row++) {
    if (row % ROWS_A_STEP === 0) yield undefined;
    if (fits(row)) yield { segment, row, timeMs: millisecondsAt(logs.cells.timeNs, row) };
  }
}

/** The criteria as a test of rows; undefined if no row of the segment fits. */
function rowTest(segment: Segment, criteria: LogCriteria): ((row: number) => boolean) | undefined {
  const { traceId, minSeverity = 0, text } = criteria;
  const { cells } = segment.logs;
  const trace = traceId === undefined ? undefined : segment.traces.find(viewOf(Buffer.from(traceId, 'hex')), 0, 16);
  if (trace === -1) return undefined;
  const shared = new SegmentCriteria(segment, criteria);
  const lowerText = text?.toLowerCase();
  return (row) => {
    if (trace !== undefined && cells.trace[row] !== trace + 1) return false;
    if ((cells.severity[row] as number) < minSeverity || !shared.fitsTime(cells.timeNs, row)) return false;
    const details = cells.details[row] as number;
    if (!shared.fits(cells.resource[row] as number, details)) return false;
    return lowerText === undefined || bodyAt(segment, details).toLowerCase().includes(lowerText);
  };
}

function bodyAt(segment: Segment, details: number): string {
  const { words } = segment;
  const body = words.at(details + 1 + words.at(details));
  return body === 0 ? '' : anyValueToText(pairOf(segment, body - 1)[1]);
}

import { backendAttributes as names } from '../../../../metrics/postgres-sessions.ts';
import type { AnyValue, KeyValueMap } from '../../../../engine/otlp/any-value.ts';
import { millisecondsAt, spanAt, type StoredSpan } from '../memory/record.ts';
import { listHas, pairsWithKey } from '../memory/pairs-with-key.ts';
import type { Segment } from '../memory/segment.ts';
import type { TelemetryMemory } from '../memory/telemetry-memory.ts';

/** The span of a statement, with what the preload knows about its connection. Unix milliseconds of the service's clock. */
export interface BackendSpan {
  readonly span: StoredSpan;
  readonly pid: number;
  /** The backend started within this interval. */
  readonly connected: Interval;
  /** While the server may have run the statement. */
  readonly ran: Interval;
  /** The first statement of the transaction; undefined if this statement is a transaction of its own. */
  readonly transaction: Interval | undefined;
  readonly isLast: boolean;
}

export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

/** More statements of a few sessions are not examined: then nothing is known. */
const MAX_SPANS = 20_000;
const ROWS_A_STEP = 1024;
const SPANS_A_STEP = 32;

/**
 * All spans of these server processes that ran within the interval.
 *
 * @returns undefined if there are too many.
 */
export function* backendSpans(
  memory: TelemetryMemory,
  pids: ReadonlySet<number>,
  { fromMs, toMs }: Interval,
): Generator<undefined, BackendSpan[] | undefined> {
  const found = new Map<string, BackendSpan>();
  let read = 0;
  for (const segment of memory.segments) {
    const { spans } = segment;
    const fitting = yield* pairsWithKey(segment, names.pid, (value) => pids.has(Number(value)));
    if (!fitting.includes(1)) continue;
    for (let row = 0; row < spans.count; row++) {
      if (row % ROWS_A_STEP === 0) yield;
      const { startNs, endNs } = spans.cells;
      if (millisecondsAt(startNs, row) > toMs || millisecondsAt(endNs, row) < fromMs) continue;
      if (!listHas(segment, spans.cells.details[row] as number, fitting)) continue;
      const span = backendSpan(segment, row);
      if (++read % SPANS_A_STEP === 0) yield;
      // A sender that was not answered sends a span again.
      if (span !== undefined) found.set(`${span.span.traceId} ${span.span.spanId}`, span);
      if (found.size > MAX_SPANS) return undefined;
    }
  }
  return [...found.values()];
}

/** Undefined without the attributes of a backend. */
export function backendSpan(segment: Segment, row: number): BackendSpan | undefined {
  const span = spanAt(segment, row);
  const { attributes } = span;
  const pid = attributes.get(names.pid);
  const connected = intervalIn(attributes, names.connected);
  if (typeof pid !== 'number' || connected === undefined) return undefined;
  const startMs = Number(span.startTimeUnixNano / 1000n) / 1000;
  const sentMs = timeOf(attributes.get(names.sent));
  return {
    span,
    pid,
    connected,
    ran: { fromMs: Math.max(startMs, sentMs ?? startMs), toMs: startMs + span.durationNs / 1e6 },
    transaction: intervalIn(attributes, names.transactionBegan),
    isLast: attributes.get(names.transactionEnded) === true,
  };
}

function intervalIn(attributes: KeyValueMap, name: string): Interval | undefined {
  const value = attributes.get(name);
  const [from, to] = typeof value === 'string' ? value.split('/', 2).map(timeOf) : [];
  return from === undefined || to === undefined ? undefined : { fromMs: from, toMs: to };
}

function timeOf(value: AnyValue | undefined): number | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(ms) ? ms : undefined;
}

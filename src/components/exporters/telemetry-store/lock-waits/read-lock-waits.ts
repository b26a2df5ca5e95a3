import { viewOf } from '../../../../engine/columns/hash-bytes.ts';
import type { AnyValue, KeyValueMap } from '../../../../engine/otlp/any-value.ts';
import { LOCK_WAIT_EVENT, lockWaitAttributes as names } from '../../../../metrics/postgres-sessions.ts';
import { listHas, pairsWithKey } from '../memory/pairs-with-key.ts';
import { logAt } from '../memory/record.ts';
import type { Segment } from '../memory/segment.ts';
import type { TelemetryMemory } from '../memory/telemetry-memory.ts';

/** A wait as the poller saw it. Times are Unix milliseconds of the sidecar's clock. */
export interface SeenWait {
  readonly id: string;
  readonly lock: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly endedBeforeMs: number | undefined;
  /** The largest error of times of the server. */
  readonly uncertaintyMs: number;
  readonly waiter: SeenWaiter;
  readonly blocker: SeenBlocker;
}

export interface SeenWaiter {
  readonly pid: number;
  readonly startMs: number;
  readonly transactionMs: number | undefined;
  readonly statementMs: number;
  readonly application: string;
  readonly query: string;
}

export interface SeenBlocker {
  /** Undefined for a prepared transaction. */
  readonly pid: number | undefined;
  readonly startMs: number | undefined;
  readonly transactionMs: number | undefined;
  readonly application: string;
  readonly state: string;
  readonly type: string;
  readonly query: string;
  readonly prepared: string;
}

/** Older records are not read. */
const MAX_RECORDS = 20_000;
const MAX_TIME_MS = 8.64e15;
const ROWS_A_STEP = 1024;
const RECORDS_A_STEP = 64;

/** The waits of these processes, or of all, each as it was seen last. */
export function* readLockWaits(memory: TelemetryMemory, pids?: ReadonlySet<number>): Generator<undefined, SeenWait[]> {
  const waits = new Map<string, SeenWait>();
  let left = MAX_RECORDS;
  for (const segment of memory.segments.toReversed()) {
    for (const row of yield* rowsOf(segment, pids)) {
      if (left-- <= 0) return [...waits.values()];
      if (left % RECORDS_A_STEP === 0) yield;
      const wait = seenWait(logAt(segment, row).attributes);
      if (wait !== undefined && isLater(wait, waits.get(wait.id))) waits.set(wait.id, wait);
    }
  }
  return [...waits.values()];
}

/** The records about these waiting processes, the newest first. */
function* rowsOf(segment: Segment, pids: ReadonlySet<number> | undefined): Generator<undefined, number[]> {
  const { texts, logs } = segment;
  const rows: number[] = [];
  const name = Buffer.from(LOCK_WAIT_EVENT);
  const event = logs.count === 0 ? -1 : texts.find(viewOf(name), 0, name.length);
  if (event < 0) return rows;
  const fitting = yield* pairsWithKey(segment, names.waiterPid, (value) => pids?.has(Number(value)) ?? true);
  if (!fitting.includes(1)) return rows;
  for (let row = logs.count - 1; row >= 0; row--) {
    if (row % ROWS_A_STEP === 0) yield;
    if (logs.cells.eventName[row] !== event + 1) continue;
    if (listHas(segment, logs.cells.details[row] as number, fitting)) rows.push(row);
  }
  return rows;
}

function isLater(wait: SeenWait, known: SeenWait | undefined): boolean {
  if (known === undefined || wait.untilMs !== known.untilMs) return known === undefined || wait.untilMs > known.untilMs;
  return wait.endedBeforeMs !== undefined;
}

/** Undefined for a record that someone else wrote. */
function seenWait(attributes: KeyValueMap): SeenWait | undefined {
  const number = (name: string): number | undefined => finite(attributes.get(name));
  const text = (name: string): string => textOf(attributes.get(name));
  const [pid, startMs, statementMs] = [names.waiterPid, names.waiterStart, names.waiterStatement].map(number);
  const [sinceMs, untilMs, uncertaintyMs] = [names.since, names.until, names.uncertainty].map(number);
  if (pid === undefined || startMs === undefined || statementMs === undefined) return undefined;
  if (sinceMs === undefined || untilMs === undefined || uncertaintyMs === undefined) return undefined;
  return {
    id: text(names.id),
    lock: text(names.lock),
    sinceMs,
    untilMs,
    endedBeforeMs: number(names.endedBefore),
    uncertaintyMs,
    waiter: {
      pid,
      startMs,
      statementMs,
      transactionMs: number(names.waiterTransaction),
      application: text(names.waiterName),
      query: text(names.waiterQuery),
    },
    blocker: {
      pid: number(names.blockerPid),
      startMs: number(names.blockerStart),
      transactionMs: number(names.blockerTransaction),
      application: text(names.blockerName),
      state: text(names.blockerState),
      type: text(names.blockerType),
      query: text(names.blockerQuery),
      prepared: text(names.blockerPrepared),
    },
  };
}

/** Undefined beyond the times that JavaScript knows. */
function finite(value: AnyValue | undefined): number | undefined {
  return typeof value === 'number' && Math.abs(value) <= MAX_TIME_MS ? value : undefined;
}

function textOf(value: AnyValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

import type { StoredSpan } from '../memory/record.ts';
import type { TelemetryMemory } from '../memory/telemetry-memory.ts';
import { rootOf } from '../queries/find-root.ts';
import type { Place } from '../queries/find-trace.ts';
import { backendSpan, backendSpans, type BackendSpan } from './backend-spans.ts';
import { blockingTransaction, sessionsOf, waitingStatement, type Sessions } from './match-sessions.ts';
import { readLockWaits, type SeenBlocker, type SeenWait } from './read-lock-waits.ts';

/** A statement of the trace that waited, and what it waited for. */
export interface LockWait {
  readonly spanId: string;
  readonly lock: string;
  readonly waitedMs: number;
  readonly waitedAtMostMs: number;
  readonly blocker: Blocker;
}

/** A wait of any session. */
export interface AnyLockWait {
  readonly seen: SeenWait;
  /** Undefined while the wait may continue. */
  readonly waitedAtMostMs: number | undefined;
  /** The statement that waited, and the root of its trace; undefined if they are not in the store. */
  readonly statement: StoredSpan | undefined;
  readonly root: StoredSpan | undefined;
  readonly blocker: Blocker;
}

export interface Blocker extends Omit<SeenBlocker, 'startMs' | 'transactionMs'> {
  /** Undefined if the store does not have the transaction. */
  readonly transaction: BlockingTransaction | undefined;
  /** The sessions that the blocker itself waited for meanwhile. */
  readonly waitsFor: readonly Blocker[];
}

export interface BlockingTransaction {
  /** The trace and span of its first statement in the store. */
  readonly first: StoredSpan;
  /** The last statement before the wait was seen last. */
  readonly last: StoredSpan;
  /** Names the trace; undefined if its root is not in the store. */
  readonly root: StoredSpan | undefined;
}

/** A chain of sessions is followed so far. */
const MAX_CHAIN = 8;
/** The number of sessions in the description of a wait. */
const MAX_SHOWN = 16;
const MAX_LOCK_WAITS = 1000;
/** With the waits of the blockers. */
const MAX_SEEN = 2 * MAX_LOCK_WAITS;
/** The number of transactions that are compared for one answer. Further blockers are described without theirs. */
const MAX_COMPARED = 4_000_000;
const PLACES_A_STEP = 32;
/** More than clocks are wrong by. */
const MARGIN_MS = 1000;

/** Finds what the statements of a trace waited for. @param places the spans of the trace. */
export function* findLockWaits(memory: TelemetryMemory, places: readonly Place[]): Generator<undefined, LockWait[]> {
  const own = yield* statementsOf(places);
  if (own.size === 0) return [];
  const ran = [...own.values()];
  const waits: SeenWait[] = [];
  for (const wait of yield* readLockWaits(memory, new Set(ran.map(({ pid }) => pid)))) {
    yield;
    if (waits.length < MAX_LOCK_WAITS && isNear(wait, ran)) waits.push(wait);
  }
  if (waits.length === 0) return [];
  const chains = yield* chainsOf(memory, waits);
  const found: LockWait[] = [];
  for (const wait of waits) {
    yield;
    const statement = chains.statement(wait);
    if (statement === undefined || !own.has(keyOf(statement.span))) continue;
    found.push({
      spanId: statement.span.spanId,
      lock: wait.lock,
      waitedMs: wait.untilMs - wait.sinceMs,
      waitedAtMostMs: longestMs(wait, statement) ?? Infinity,
      blocker: yield* chains.blocker(memory, wait),
    });
  }
  return found.toSorted((a, b) => b.waitedMs - a.waitedMs);
}

/** Finds the waits of all sessions that were seen last: those that may continue first, then the newest. */
export function* latestLockWaits(
  memory: TelemetryMemory,
  { sinceMs = -Infinity, limit }: { readonly sinceMs?: number | undefined; readonly limit: number },
): Generator<undefined, { readonly waits: readonly AnyLockWait[]; readonly left: number }> {
  const all = (yield* readLockWaits(memory)).filter(({ untilMs }) => untilMs >= sinceMs);
  const waits = all.toSorted(continuingFirst).slice(0, Math.min(limit, MAX_LOCK_WAITS));
  const chains = yield* chainsOf(memory, waits);
  const found: AnyLockWait[] = [];
  for (const seen of waits) {
    yield;
    const statement = chains.statement(seen);
    found.push({
      seen,
      waitedAtMostMs: longestMs(seen, statement),
      statement: statement?.span,
      root: statement && (yield* chains.root(memory, statement.span.traceId)),
      blocker: yield* chains.blocker(memory, seen),
    });
  }
  return { waits: found, left: all.length - waits.length };
}

function continuingFirst(a: SeenWait, b: SeenWait): number {
  const [isOverA, isOverB] = [a, b].map(({ endedBeforeMs }) => Number(endedBeforeMs !== undefined)) as [number, number];
  return isOverA - isOverB || b.untilMs - a.untilMs;
}

/** Undefined while neither the end of the wait nor that of its statement is known. */
function longestMs({ sinceMs, untilMs, endedBeforeMs = Infinity }: SeenWait, statement?: BackendSpan) {
  const atMostMs = Math.min(endedBeforeMs, (statement?.ran.toMs ?? Infinity) + 1);
  return atMostMs === Infinity ? undefined : Math.max(untilMs, atMostMs) - sinceMs;
}

function* chainsOf(memory: TelemetryMemory, waits: readonly SeenWait[]): Generator<undefined, Chains> {
  const seen = yield* withWaitsOfBlockers(memory, waits);
  return yield* Chains.of(memory, waits, seen);
}

function* statementsOf(places: readonly Place[]): Generator<undefined, ReadonlyMap<string, BackendSpan>> {
  const own = new Map<string, BackendSpan>();
  for (const [i, { segment, row }] of places.entries()) {
    if (i % PLACES_A_STEP === 0) yield;
    const found = backendSpan(segment, row);
    if (found !== undefined) own.set(keyOf(found.span), found);
  }
  return own;
}

/** True if one of the statements may be the one that waited. */
function isNear({ waiter, untilMs }: SeenWait, own: readonly BackendSpan[]): boolean {
  return own.some(({ pid, ran }) => pid === waiter.pid && ran.fromMs <= untilMs && untilMs <= ran.toMs + MARGIN_MS);
}

/** Adds what the blockers waited for, and their blockers. */
function* withWaitsOfBlockers(memory: TelemetryMemory, waits: readonly SeenWait[]): Generator<undefined, SeenWait[]> {
  const seen = new Map(waits.map((wait) => [wait.id, wait]));
  const asked = new Set<number>();
  for (let depth = 0; depth < MAX_CHAIN; depth++) {
    const pids = new Set([...seen.values()].flatMap(({ blocker: { pid } }) => (pid === undefined ? [] : [pid])));
    const next = new Set([...pids].filter((pid) => !asked.has(pid)));
    if (next.size === 0) break;
    for (const pid of next) asked.add(pid);
    for (const wait of yield* readLockWaits(memory, next)) {
      seen.set(wait.id, wait);
      if (seen.size >= MAX_SEEN) return [...seen.values()];
    }
  }
  return [...seen.values()];
}

/** The description of one wait so far. */
interface Shown {
  /** The processes whose own waits are described already: sessions in a deadlock wait for each other. */
  readonly pids: Set<number>;
  /** How many more sessions it may have. */
  left: number;
}

/** The waits of blockers, and the statements of all sessions that they lead to. */
class Chains {
  readonly #byPid: ReadonlyMap<number, readonly SeenWait[]>;
  #sessions: Sessions = new Map();
  /** The root of each trace that was looked for. */
  readonly #roots = new Map<string, StoredSpan | undefined>();
  #comparisonsLeft = MAX_COMPARED;

  private constructor(seen: readonly SeenWait[]) {
    this.#byPid = Map.groupBy(seen, ({ waiter }) => waiter.pid);
  }

  /** @param seen the waits, and those of their blockers. */
  static *of(
    memory: TelemetryMemory,
    waits: readonly SeenWait[],
    seen: readonly SeenWait[],
  ): Generator<undefined, Chains> {
    const chains = new Chains(seen);
    chains.#sessions = yield* sessionsOf(yield* chains.#spans(memory, waits));
    return chains;
  }

  /** The statement that waited; undefined if it is not in the store. */
  statement(wait: SeenWait): BackendSpan | undefined {
    return waitingStatement(wait, this.#sessions);
  }

  *#spans(memory: TelemetryMemory, waits: readonly SeenWait[]): Generator<undefined, readonly BackendSpan[]> {
    const reached = new Set(waits);
    for (const wait of reached) {
      yield;
      for (const next of this.#next(wait)) reached.add(next);
    }
    const pids = new Set([...reached].flatMap(({ waiter, blocker }) => [waiter.pid, blocker.pid ?? waiter.pid]));
    const all = [...reached];
    const beginnings = all.flatMap(({ sinceMs, waiter, blocker }) => [
      sinceMs,
      waiter.statementMs,
      blocker.transactionMs ?? sinceMs,
    ]);
    const fromMs = beginnings.reduce((least, ms) => Math.min(least, ms), Infinity);
    const toMs = all.reduce((most, { untilMs }) => Math.max(most, untilMs), -Infinity);
    return (yield* backendSpans(memory, pids, { fromMs: fromMs - MARGIN_MS, toMs: toMs + MARGIN_MS })) ?? [];
  }

  *blocker(
    memory: TelemetryMemory,
    wait: SeenWait,
    shown: Shown = { pids: new Set([wait.waiter.pid]), left: MAX_SHOWN },
  ): Generator<undefined, Blocker> {
    yield;
    shown.left--;
    const { startMs: _start, transactionMs: _transaction, ...session } = wait.blocker;
    const transaction = yield* this.#transaction(memory, wait);
    const waitsFor: Blocker[] = [];
    if (session.pid !== undefined && !shown.pids.has(session.pid)) {
      shown.pids.add(session.pid);
      for (const next of this.#next(wait)) {
        if (shown.left <= 0) break;
        waitsFor.push(yield* this.blocker(memory, next, shown));
      }
    }
    return { ...session, transaction, waitsFor };
  }

  /** Names a trace; undefined if its root is not in the store. */
  *root(memory: TelemetryMemory, traceId: string): Generator<undefined, StoredSpan | undefined> {
    if (!this.#roots.has(traceId)) this.#roots.set(traceId, yield* rootOf(memory, traceId));
    return this.#roots.get(traceId);
  }

  *#transaction(memory: TelemetryMemory, wait: SeenWait): Generator<undefined, BlockingTransaction | undefined> {
    this.#comparisonsLeft -= this.#sessions.get(wait.blocker.pid ?? NaN)?.transactions.length ?? 0;
    const statements = this.#comparisonsLeft < 0 ? [] : blockingTransaction(wait, this.#sessions);
    const [first] = statements;
    if (first === undefined) return undefined;
    const last = statements.findLast(({ ran }) => ran.fromMs <= wait.untilMs) ?? first;
    return { first: first.span, last: last.span, root: yield* this.root(memory, first.span.traceId) };
  }

  /** The waits of the blocker meanwhile, in the same transaction. */
  #next(wait: SeenWait): readonly SeenWait[] {
    const { pid, startMs, transactionMs } = wait.blocker;
    if (pid === undefined || startMs === undefined || transactionMs === undefined) return [];
    return (this.#byPid.get(pid) ?? []).filter((next) => {
      const tolerance = wait.uncertaintyMs + next.uncertaintyMs;
      const isSame = Math.abs(next.waiter.startMs - startMs) <= tolerance;
      const isInTransaction = Math.abs((next.waiter.transactionMs ?? Infinity) - transactionMs) <= tolerance;
      return isSame && isInTransaction && next.sinceMs <= wait.untilMs && next.untilMs >= wait.sinceMs;
    });
  }
}

function keyOf({ traceId, spanId }: StoredSpan): string {
  return `${traceId} ${spanId}`;
}

/**
 * Finds the spans of a session that the poller saw. Statements of one connection run one after the other, so that at most
 * one of them, and one transaction, fits a time. Where clocks are too imprecise to decide between two, nothing is found.
 */
import type { BackendSpan, Interval } from './backend-spans.ts';
import type { SeenWait } from './read-lock-waits.ts';

/** The service's clock shows whole milliseconds. */
const ROUNDING_MS = 1;

/** The statement that waited. */
export function waitingStatement(wait: SeenWait, spans: readonly BackendSpan[]): BackendSpan | undefined {
  const { waiter, untilMs, uncertaintyMs } = wait;
  const tolerance = uncertaintyMs + ROUNDING_MS;
  if (isYoung(waiter.statementMs, wait)) return undefined;
  const fitting = onBackend(spans, waiter, tolerance).filter(
    ({ ran }) => contains(ran, waiter.statementMs, tolerance) && contains(ran, untilMs, ROUNDING_MS),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** The statements of the transaction that held the lock, in the order of time. Empty if the store does not know it. */
export function blockingTransaction(wait: SeenWait, spans: readonly BackendSpan[]): readonly BackendSpan[] {
  const { pid, startMs, transactionMs } = wait.blocker;
  if (pid === undefined || startMs === undefined || transactionMs === undefined) return [];
  if (isYoung(transactionMs, wait)) return [];
  const tolerance = wait.uncertaintyMs + ROUNDING_MS;
  const transactions = transactionsOf(onBackend(spans, { pid, startMs }, tolerance));
  const open = transactions.filter(({ began, endMs }, i) => {
    if (!contains(began, transactionMs, tolerance) || endMs + ROUNDING_MS < wait.untilMs) return false;
    return !transactions.slice(i + 1).some((next) => provesEnd(next, began, wait.untilMs));
  });
  return open.length === 1 ? open[0]!.statements : [];
}

/** True if it cannot be distinguished from the one before, which the store may have instead. */
function isYoung(beganMs: number, { untilMs, uncertaintyMs }: SeenWait): boolean {
  return untilMs - beganMs <= 2 * (uncertaintyMs + ROUNDING_MS);
}

interface Transaction {
  readonly began: Interval;
  /** Infinite while it may be open. */
  readonly endMs: number;
  readonly statements: readonly BackendSpan[];
}

/** A later transaction on the connection proves that the one that began then had ended. */
function provesEnd({ began, statements }: Transaction, earlier: Interval, untilMs: number): boolean {
  return began.fromMs > earlier.fromMs && statements[0]!.ran.fromMs <= untilMs - ROUNDING_MS;
}

/** In the order of time. */
function transactionsOf(spans: readonly BackendSpan[]): Transaction[] {
  const ordered = spans.toSorted((a, b) => a.ran.fromMs - b.ran.fromMs || a.ran.toMs - b.ran.toMs);
  const groups = Map.groupBy(ordered, (one) =>
    one.transaction === undefined ? one : `${one.transaction.fromMs} ${one.transaction.toMs}`,
  );
  return [...groups.values()].map((statements) => {
    const [first] = statements as [BackendSpan];
    if (first.transaction === undefined) return { began: first.ran, endMs: first.ran.toMs, statements };
    const last = statements.find(({ isLast }) => isLast);
    return { began: first.transaction, endMs: last?.ran.toMs ?? Infinity, statements };
  });
}

/** A process id is used again, so the backend must have started while the connection was opened. */
function onBackend(
  spans: readonly BackendSpan[],
  { pid, startMs }: { readonly pid: number; readonly startMs: number },
  tolerance: number,
): readonly BackendSpan[] {
  return spans.filter((one) => one.pid === pid && contains(one.connected, startMs, tolerance));
}

/** The end of an interval in whole milliseconds may be almost one later. */
function contains({ fromMs, toMs }: Interval, timeMs: number, tolerance: number): boolean {
  return fromMs - tolerance <= timeMs && timeMs <= toMs + tolerance;
}

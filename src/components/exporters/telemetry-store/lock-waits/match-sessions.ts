/**
 * Finds the spans of a session that the poller saw. Statements of one connection run one after the other, so that at most
 * one of them, and one transaction, fits a time. Where clocks are too imprecise to decide between two, nothing is found.
 */
import type { BackendSpan, Interval } from './backend-spans.ts';
import type { SeenWait } from './read-lock-waits.ts';

/** The service's clock shows whole milliseconds. */
const ROUNDING_MS = 1;

/** The statements and transactions of one server process, in the order of time. */
export interface Session {
  readonly statements: readonly BackendSpan[];
  readonly transactions: readonly Transaction[];
}

export type Sessions = ReadonlyMap<number, Session>;

const STATEMENTS_A_STEP = 1024;

/** The sessions by their process ids. */
export function* sessionsOf(spans: readonly BackendSpan[]): Generator<undefined, Sessions> {
  const ordered = spans.toSorted((a, b) => a.ran.fromMs - b.ran.fromMs || a.ran.toMs - b.ran.toMs);
  yield;
  const sessions = new Map<number, { readonly statements: BackendSpan[]; readonly transactions: BackendSpan[][] }>();
  const known = new Map<string, BackendSpan[]>();
  for (const [i, one] of ordered.entries()) {
    if (i % STATEMENTS_A_STEP === 0) yield;
    const session = sessions.get(one.pid) ?? { statements: [], transactions: [] };
    sessions.set(one.pid, session);
    session.statements.push(one);
    const key = transactionKey(one);
    const group = known.get(key);
    if (key !== '' && group !== undefined) group.push(one);
    else {
      const begun = [one];
      session.transactions.push(begun);
      known.set(key, begun);
    }
  }
  yield;
  return new Map(
    [...sessions].map(([pid, { statements, transactions }]) => [
      pid,
      { statements, transactions: transactions.map(transactionOf) },
    ]),
  );
}

/** Empty for a statement that is a transaction of its own. */
function transactionKey({ pid, connected, transaction }: BackendSpan): string {
  if (transaction === undefined) return '';
  return `${pid} ${connected.fromMs} ${connected.toMs} ${transaction.fromMs} ${transaction.toMs}`;
}

/** The statement that waited. */
export function waitingStatement(wait: SeenWait, sessions: Sessions): BackendSpan | undefined {
  const { waiter, untilMs, uncertaintyMs } = wait;
  const tolerance = uncertaintyMs + ROUNDING_MS;
  if (isYoung(waiter.statementMs, wait)) return undefined;
  const fitting = (sessions.get(waiter.pid)?.statements ?? []).filter(
    ({ connected, ran }) =>
      contains(connected, waiter.startMs, tolerance) &&
      contains(ran, waiter.statementMs, tolerance) &&
      contains(ran, untilMs, ROUNDING_MS),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** The statements of the transaction that held the lock, in the order of time. Empty if the store does not know it. */
export function blockingTransaction(wait: SeenWait, sessions: Sessions): readonly BackendSpan[] {
  const { pid, startMs, transactionMs } = wait.blocker;
  if (pid === undefined || startMs === undefined || transactionMs === undefined) return [];
  if (isYoung(transactionMs, wait)) return [];
  const tolerance = wait.uncertaintyMs + ROUNDING_MS;
  // A process id is used again, so the backend must have started while the connection was opened.
  const transactions = (sessions.get(pid)?.transactions ?? []).filter(({ connected }) =>
    contains(connected, startMs, tolerance),
  );
  const open = openAt(transactions, wait.untilMs).filter(({ began }) => contains(began, transactionMs, tolerance));
  return open.length === 1 ? open[0]!.statements : [];
}

/** The transactions of a connection that may be open then. Takes linear time: a sender chooses how many there are. */
function openAt(transactions: readonly Transaction[], untilMs: number): Transaction[] {
  const open: Transaction[] = [];
  let laterBeganMs = -Infinity;
  for (const transaction of transactions.toReversed()) {
    const { began, endMs, statements } = transaction;
    // A later transaction on the connection proves that this one had ended.
    if (laterBeganMs <= began.fromMs && endMs + ROUNDING_MS >= untilMs) open.push(transaction);
    const isEarlier = statements[0]!.ran.fromMs <= untilMs - ROUNDING_MS;
    if (isEarlier) laterBeganMs = Math.max(laterBeganMs, began.fromMs);
  }
  return open;
}

/** True if it cannot be distinguished from the one before, which the store may have instead. */
function isYoung(beganMs: number, { untilMs, uncertaintyMs }: SeenWait): boolean {
  return untilMs - beganMs <= 2 * (uncertaintyMs + ROUNDING_MS);
}

interface Transaction {
  /** When the connection was opened. */
  readonly connected: Interval;
  readonly began: Interval;
  /** Infinite while it may be open. */
  readonly endMs: number;
  readonly statements: readonly BackendSpan[];
}

function transactionOf(statements: readonly BackendSpan[]): Transaction {
  const [{ connected, ran, transaction }] = statements as [BackendSpan];
  if (transaction === undefined) return { connected, began: ran, endMs: ran.toMs, statements };
  const last = statements.find(({ isLast }) => isLast);
  return { connected, began: transaction, endMs: last?.ran.toMs ?? Infinity, statements };
}

/** The end of an interval in whole milliseconds may be almost one later. */
function contains({ fromMs, toMs }: Interval, timeMs: number, tolerance: number): boolean {
  return fromMs - tolerance <= timeMs && timeMs <= toMs + tolerance;
}

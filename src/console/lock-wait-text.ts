import type { Blocker, BlockingTransaction, SeenLockWait, Span } from '../engine/stored-telemetry.ts';
import type { DatabaseState } from './database-state.ts';
import { backendAttributes } from '../metrics/postgres-sessions.ts';
import { clockText, durationText, oneLine } from './store-text.ts';

/** One line of the description of a wait: below the line before, by its depth. */
export interface LockWaitLine {
  readonly text: string;
  readonly depth: number;
  /** The trace with the blocking transaction, where it is known. */
  readonly traceId?: string;
  readonly spanId?: string;
}

/** A wait from this length on is worth a remark, also if its cause cannot be known. */
const LONG_MS = 1000;
/** The first digits of an id are enough. */
const SHORT_ID = 16;

/** Names the session that a statement waited for, and those that this session waited for itself. */
export function lockWaitLines({
  lock,
  blocker,
  ...wait
}: Pick<SeenLockWait, 'lock' | 'blocker'> & Waited): LockWaitLine[] {
  return [{ text: `${waitedText(wait)} (${lock})`, depth: 0 }, ...blockerLines('for', blocker, 1)];
}

type Waited = Pick<SeenLockWait, 'waitedMs' | 'waitedAtMostMs'>;

function waitedText({ waitedMs, waitedAtMostMs }: Waited): string {
  const least = durationText(waitedMs);
  if (waitedAtMostMs === undefined) return `waits ${least} so far`;
  const most = durationText(waitedAtMostMs);
  return `waited ${least === most ? least : `${least} to ${most}`}`;
}

/** Names the session that waited, and when it was last seen waiting. */
export function waitingSessionText({
  waiter: { pid, application, statement, query },
  seenTimeUnixNano,
}: SeenLockWait): string {
  const who = [statement?.service, statement?.name].filter(isText).join(' ');
  const session = [who === '' ? undefined : who, `process ${pid}`, application].filter(isText).join(', ');
  return oneLine(`${clockText(seenTimeUnixNano)}  ${session}${isText(query) ? `: ${query}` : ''}`);
}

/** True as long as its end has not been seen. */
export function isGoingOn({ waitedAtMostMs }: SeenLockWait): boolean {
  return waitedAtMostMs === undefined;
}

/** Why there is no wait to show. */
export function noWaitsText({ lockWaits, tables }: Pick<DatabaseState, 'lockWaits' | 'tables'>): string {
  if (lockWaits === undefined) return 'Whether a session waits for a lock is not known';
  if (tables.every(({ lines }) => lines.length === 0))
    return 'Whether a session waits for a lock is not known: nothing polls a database';
  return lockWaits.length === 0 ? 'No session was seen waiting for a lock' : 'No session waits for a lock now';
}

/** A remark about a statement that took long, if its backend cannot be known; undefined otherwise. */
export function unknownWaitText({
  attributes,
  durationMs,
}: Pick<Span, 'attributes' | 'durationMs'>): string | undefined {
  if (attributes[backendAttributes.pooled] !== true || durationMs < LONG_MS) return undefined;
  return 'whether it waited for a lock is not known: a pooler is between the service and the server';
}

function blockerLines(begin: string, blocker: Blocker, depth: number): LockWaitLine[] {
  const { transaction, waitsFor = [] } = blocker;
  return [
    ...(transaction === undefined
      ? [{ text: `${begin} ${sessionText(blocker)}`, depth }]
      : transactionLines(begin, transaction, depth)),
    ...statementLines(blocker, depth),
    ...waitsFor.flatMap((next) => blockerLines('which waited for', next, depth + 1)),
  ];
}

function transactionLines(begin: string, transaction: BlockingTransaction, depth: number): LockWaitLine[] {
  const { service, name, traceId, spanId } = transaction;
  return [
    { text: `${begin} ${[service, name].filter(isText).join(' ')}`, depth },
    { text: `trace ${traceId.slice(0, SHORT_ID)}`, depth, traceId, spanId },
  ];
}

function statementLines({ transaction, state, query }: Blocker, depth: number): LockWaitLine[] {
  if (transaction === undefined) return isText(query) ? [{ text: query, depth }] : [];
  const { lastStatement, traceId } = transaction;
  const { text, name } = lastStatement;
  const statement = [state, isText(text) ? text : name].filter(isText).join(': ');
  const other = lastStatement.traceId;
  return [{ text: other === traceId ? statement : `${statement} (in trace ${other.slice(0, SHORT_ID)})`, depth }];
}

/** A session whose transaction is not in the store. */
function sessionText({ pid, application, state, type, prepared }: Blocker): string {
  if (pid === undefined) return ['a prepared transaction', prepared].filter(isText).join(' ');
  const kind = type === 'client backend' ? undefined : type;
  return [`process ${pid}`, kind, application, state].filter(isText).join(', ');
}

function isText(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

import type { Blocker, BlockingTransaction, LockWait, Span } from '../engine/stored-telemetry.ts';
import { backendAttributes } from '../metrics/postgres-sessions.ts';
import { durationText } from './store-text.ts';

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
export function lockWaitLines({ waitedMs, waitedAtMostMs, lock, blocker }: LockWait): LockWaitLine[] {
  const [least, most] = [durationText(waitedMs), durationText(waitedAtMostMs)];
  const time = least === most ? least : `${least} to ${most}`;
  return [{ text: `waited ${time} (${lock})`, depth: 0 }, ...blockerLines('for', blocker, 1)];
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

import { anyValueToText } from '../../../../engine/otlp/any-value.ts';
import type { JsonObject } from '../../../../engine/otlp/json-values.ts';
import { serviceIn, type StoredSpan } from '../memory/record.ts';
import type { AnyLockWait, Blocker, BlockingTransaction, LockWait } from './find-lock-waits.ts';

/** Returns the type `LockWait` of `src/engine/stored-telemetry.ts`. */
export function lockWaitToJson({ spanId, lock, waitedMs, waitedAtMostMs, blocker }: LockWait): JsonObject {
  return {
    spanId,
    lock,
    waitedMs: Math.round(waitedMs),
    waitedAtMostMs: Math.round(waitedAtMostMs),
    blocker: blockerToJson(blocker),
  };
}

/** Returns the type `SeenLockWait` of `src/engine/stored-telemetry.ts`. */
export function anyLockWaitToJson({ seen, waitedAtMostMs, blocker, ...rest }: AnyLockWait): JsonObject {
  const { id, lock, sinceMs, untilMs, waiter } = seen;
  return {
    id,
    lock,
    sinceTimeUnixNano: nanoText(sinceMs),
    seenTimeUnixNano: nanoText(untilMs),
    waitedMs: Math.round(untilMs - sinceMs),
    ...(waitedAtMostMs !== undefined && { waitedAtMostMs: Math.round(waitedAtMostMs) }),
    waiter: {
      pid: waiter.pid,
      ...withoutEmpty({ application: waiter.application, query: waiter.query }),
      ...statementToJson(rest),
    },
    blocker: blockerToJson(blocker),
  };
}

function statementToJson({ statement, root }: Pick<AnyLockWait, 'statement' | 'root'>): JsonObject {
  if (statement === undefined) return {};
  const { traceId, spanId, resource } = statement;
  return {
    statement: { traceId, spanId, service: serviceIn(resource), ...(root !== undefined && { name: root.name }) },
  };
}

function nanoText(unixMs: number): string {
  return String(BigInt(Math.round(unixMs * 1000)) * 1000n);
}

function withoutEmpty(texts: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ''));
}

function blockerToJson({ pid, transaction, waitsFor, ...texts }: Blocker): JsonObject {
  return {
    ...(pid !== undefined && { pid }),
    ...withoutEmpty(texts),
    ...(transaction !== undefined && { transaction: transactionToJson(transaction) }),
    ...(waitsFor.length > 0 && { waitsFor: waitsFor.map(blockerToJson) }),
  };
}

function transactionToJson({ first, last, root }: BlockingTransaction): JsonObject {
  return {
    traceId: first.traceId,
    spanId: first.spanId,
    service: serviceIn(first.resource),
    ...(root !== undefined && { name: root.name }),
    lastStatement: { traceId: last.traceId, spanId: last.spanId, name: last.name, text: statementOf(last) },
  };
}

function statementOf({ attributes }: StoredSpan): string {
  return anyValueToText(attributes.get('db.query.text') ?? attributes.get('db.statement') ?? null);
}

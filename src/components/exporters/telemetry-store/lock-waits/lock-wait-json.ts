import { anyValueToText } from '../../../../engine/otlp/any-value.ts';
import type { JsonObject } from '../../../../engine/otlp/json-values.ts';
import { serviceIn, type StoredSpan } from '../memory/record.ts';
import type { Blocker, BlockingTransaction, LockWait } from './find-lock-waits.ts';

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

function blockerToJson({ pid, transaction, waitsFor, ...texts }: Blocker): JsonObject {
  return {
    ...(pid !== undefined && { pid }),
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== '')),
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

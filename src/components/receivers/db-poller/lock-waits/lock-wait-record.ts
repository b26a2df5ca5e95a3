import { createHash } from 'node:crypto';
import type { LogRecord } from '../../../../engine/otlp/logs-writer.ts';
import { LOCK_WAIT_EVENT, lockWaitAttributes as names } from '../../../../metrics/postgres-sessions.ts';
import { withoutLiterals } from '../../../../privacy/query-literals.ts';
import type { Episode } from './episodes.ts';
import type { LockWait, Session } from './sample.ts';
import type { ServerClock } from './server-clock.ts';

const INFO = { number: 9, text: 'INFO' };

/** @param server names the server, so that the identity of a wait is unique among several. */
export function lockWaitRecord(episode: Episode, clock: ServerClock, server: string): LogRecord {
  const { key, wait, firstSeenMs, isFirst, lastSeenMs, endedBeforeMs } = episode;
  const beganMs = isFirst ? converted(wait.sinceMs, clock) : undefined;
  const sinceMs = Math.min(beganMs ?? firstSeenMs, firstSeenMs);
  const attributes = {
    [names.id]: createHash('sha256').update(`${server} ${key}`).digest('hex').slice(0, 16),
    [names.lock]: wait.lock,
    [names.since]: sinceMs,
    [names.until]: lastSeenMs,
    [names.endedBefore]: endedBeforeMs,
    [names.uncertainty]: clock.uncertaintyMs,
    ...waiterAttributes(wait, clock),
    ...blockerAttributes(wait, clock),
  };
  return {
    eventName: LOCK_WAIT_EVENT,
    severity: INFO,
    unixMs: lastSeenMs,
    body: sentence(wait, lastSeenMs - sinceMs, endedBeforeMs && endedBeforeMs - sinceMs),
    attributes: known(attributes),
  };
}

function known(fields: Fields): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value]])),
  );
}

function waiterAttributes({ waiter }: LockWait, clock: ServerClock): Fields {
  return {
    [names.waiterPid]: waiter.pid,
    [names.waiterStart]: clock.toSidecar(waiter.startMs),
    [names.waiterTransaction]: converted(waiter.transactionMs, clock),
    [names.waiterStatement]: converted(waiter.statementMs, clock),
    [names.waiterName]: waiter.name,
    [names.waiterQuery]: withoutLiterals(waiter.query, 'postgresql'),
  };
}

function blockerAttributes({ blocker, lock }: LockWait, clock: ServerClock): Fields {
  if (!('pid' in blocker)) return { [names.blockerPrepared]: blocker.prepared };
  return {
    [names.blockerPid]: blocker.pid,
    [names.blockerStart]: clock.toSidecar(blocker.startMs),
    [names.blockerTransaction]: lock === 'advisory' ? undefined : converted(blocker.transactionMs, clock),
    [names.blockerName]: blocker.name,
    [names.blockerState]: blocker.state,
    [names.blockerType]: blocker.type,
    [names.blockerQuery]: withoutLiterals(blocker.query, 'postgresql'),
  };
}

type Fields = Readonly<Record<string, string | number | undefined>>;

function converted(serverMs: Session['statementMs'], clock: ServerClock): number | undefined {
  return serverMs === undefined ? undefined : clock.toSidecar(serverMs);
}

/** @param atMostMs undefined while it continues. The end is between two samples. */
function sentence({ waiter, blocker, lock }: LockWait, atLeastMs: number, atMostMs: number | undefined): string {
  const whom = 'pid' in blocker ? `process ${blocker.pid}` : 'a prepared transaction';
  const [waits, end] = atMostMs === undefined ? ['waits', 's so far'] : ['waited', `to ${secondsOf(atMostMs)} s`];
  return `process ${waiter.pid} ${waits} for ${whom} (${lock}), for ${secondsOf(atLeastMs)} ${end}`;
}

function secondsOf(ms: number): string {
  return (ms / 1000).toFixed(1);
}

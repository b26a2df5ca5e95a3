/** Attributes by which the sidecar recognises the sessions of PostgreSQL. The SDK, the receivers and the store share them. */

/** On a span: the server process that ran its statement. Times are those of the service's clock, as in ISO 8601. */
export const backendAttributes = {
  /** The process id of the backend. */
  pid: 'db.postgresql.backend.pid',
  /** The interval in which the connection was opened: the backend started within it. */
  connected: 'db.postgresql.backend.connected',
  /** True: the connection leads to a pooler, so the backend is unknown. */
  pooled: 'db.postgresql.backend.pooled',
  /** When the statement was sent, if it waited for earlier ones on the same connection. */
  sent: 'db.postgresql.statement.sent',
  /** The interval of the first statement of the transaction; absent for a statement that is a transaction of its own. */
  transactionBegan: 'db.postgresql.transaction.began',
  /** True for the last statement of the transaction. */
  transactionEnded: 'db.postgresql.transaction.ended',
} as const;

/** On the span of a pool that is asked for a connection. True: one was idle, so that nothing had to be waited for. */
export const HAD_IDLE_CONNECTION = 'db.postgresql.pool.had_idle';

/**
 * On the log record of a session that waits for a lock. Times are in Unix milliseconds of the sidecar's clock: the
 * server's, moved by the difference of the two clocks, which is known to `uncertainty`.
 */
export const lockWaitAttributes = {
  /** The same in all records of one wait for one blocker; later ones have a later `until`. */
  id: 'db.postgresql.lock_wait.id',
  /** The kind of lock, as `wait_event` of pg_stat_activity names it: `transactionid`, `tuple`, `relation`, `advisory` … */
  lock: 'db.postgresql.lock_wait.lock',
  since: 'db.postgresql.lock_wait.since',
  /** When the session was last seen waiting. */
  until: 'db.postgresql.lock_wait.until',
  /** When the session was first seen not to wait any more; absent before. */
  endedBefore: 'db.postgresql.lock_wait.ended_before',
  /** In milliseconds. */
  uncertainty: 'db.postgresql.lock_wait.uncertainty',
  waiterPid: 'db.postgresql.waiter.pid',
  waiterStart: 'db.postgresql.waiter.start',
  waiterTransaction: 'db.postgresql.waiter.transaction',
  waiterStatement: 'db.postgresql.waiter.statement',
  waiterName: 'db.postgresql.waiter.application_name',
  /** Without values. */
  waiterQuery: 'db.postgresql.waiter.query',
  /** Absent for a prepared transaction. */
  blockerPid: 'db.postgresql.blocker.pid',
  blockerStart: 'db.postgresql.blocker.start',
  /** Absent if the lock may be older than the transaction: advisory locks can belong to a session. */
  blockerTransaction: 'db.postgresql.blocker.transaction',
  blockerName: 'db.postgresql.blocker.application_name',
  /** As in pg_stat_activity: `idle in transaction`, `active` … */
  blockerState: 'db.postgresql.blocker.state',
  /** `client backend`, `autovacuum worker` … */
  blockerType: 'db.postgresql.blocker.type',
  /** Its current or its last statement, without values. */
  blockerQuery: 'db.postgresql.blocker.query',
  /** The name of the prepared transaction, where the wait shows which one it is. */
  blockerPrepared: 'db.postgresql.blocker.prepared',
} as const;

export const LOCK_WAIT_EVENT = 'db.postgresql.lock_wait';

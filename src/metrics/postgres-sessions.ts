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

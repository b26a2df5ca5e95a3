/** What the sidecar reads from the statistics of PostgreSQL. Keys are the Prometheus names. */
import type { BudgetedLabel, Metric } from '../../metrics/metric.ts';

/** As `pg_stat_activity` has them; `starting` since PostgreSQL 18, and before that, `unknown` while one starts. */
export const connectionStates = [
  'starting',
  'active',
  'idle',
  'idle_in_transaction',
  'idle_in_transaction_aborted',
  'fastpath_function_call',
  'disabled',
  'unknown',
] as const;

export const table: BudgetedLabel = { maxValues: 50, description: 'schema and name of the table' };

export const postgresHealthMetrics = {
  database_connections: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.connections',
    unit: '{connection}',
    description: 'Connections of clients to the polled database, by what they do, without the one that asks',
    labels: { state: connectionStates },
  },
  database_connections_active: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.connections.active',
    unit: '{connection}',
    description:
      'Connections of clients to the polled database that run a statement right now, without the one that asks',
    labels: {},
  },
  database_connections_limit: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.connections.limit',
    unit: '{connection}',
    description: 'Connections that the server takes from roles that are not reserved a place',
    labels: {},
  },
  database_connections_used: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.connections.used',
    unit: '{connection}',
    description: 'Connections of clients to any database of the server, which is what the limit is about',
    labels: {},
  },
  database_transaction_longest_seconds: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.transaction.longest',
    unit: 's',
    description:
      'Age of the oldest transaction that a client has under way in the polled database; 0 when there is none',
    labels: {},
  },
  database_idle_in_transaction_longest_seconds: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.idle_in_transaction.longest',
    unit: 's',
    description: 'How long the session waits that has waited longest inside a transaction; 0 when there is none',
    labels: {},
  },
  database_xmin_age: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.xmin.age',
    unit: '{transaction}',
    description:
      'Transactions since the oldest snapshot that a session, a prepared transaction or a replication slot holds, for which vacuum must keep old rows; 0 when none is held',
    labels: {},
  },
  database_locks_waiting: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.locks.waiting',
    unit: '{lock}',
    description: 'Locks that sessions of the polled database wait for',
    labels: {},
  },
  database_deadlocks_total: {
    source: 'poller',
    kind: 'counter',
    name: 'database.deadlocks',
    unit: '{deadlock}',
    description: 'Deadlocks in the polled database, since its statistics were reset',
    labels: {},
  },
  database_transactions_total: {
    source: 'poller',
    kind: 'counter',
    name: 'database.transactions',
    unit: '{transaction}',
    description: 'Transactions that ended in the polled database, since its statistics were reset',
    labels: { outcome: ['commit', 'rollback'] },
  },
  database_blocks_total: {
    source: 'poller',
    kind: 'counter',
    name: 'database.blocks',
    unit: '{block}',
    description:
      'Blocks that were needed, found in PostgreSQL\u2019s cache or read from outside of it, since its statistics were reset',
    labels: { found_in: ['cache', 'storage'] },
  },
  database_temp_bytes_total: {
    source: 'poller',
    kind: 'counter',
    name: 'database.temp',
    unit: 'By',
    description: 'Bytes that queries wrote to temporary files, since the statistics were reset',
    labels: {},
  },
  database_size_bytes: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.size',
    unit: 'By',
    description: 'Size of the polled database on disk',
    labels: {},
  },
  database_freeze_age: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.freeze.age',
    unit: '{transaction}',
    description: 'Transactions since the oldest row of the polled database that is not frozen; writes stop before 2^31',
    labels: {},
  },
  database_table_size_bytes: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.table.size',
    unit: 'By',
    description: 'Size of a table on disk with what is stored outside of its rows, without its indexes',
    labels: { table },
  },
  database_table_indexes_size_bytes: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.table.indexes.size',
    unit: 'By',
    description: 'Size of all indexes of a table on disk',
    labels: { table },
  },
  database_table_rows: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.table.rows',
    unit: '{row}',
    description:
      'Rows of a table as PostgreSQL estimates them: those that are there, and dead ones that vacuum has not removed',
    labels: { table, state: ['live', 'dead'] },
  },
  database_table_autovacuum_age_seconds: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.table.autovacuum.age',
    unit: 's',
    description: 'Time since autovacuum last finished with a table; absent if it never did',
    labels: { table },
  },
  database_table_freeze_age: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.table.freeze.age',
    unit: '{transaction}',
    description: 'Transactions since the oldest row of a table that is not frozen',
    labels: { table },
  },
} as const satisfies Record<string, Metric>;

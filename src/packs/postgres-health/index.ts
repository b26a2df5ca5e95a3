import { definePack } from '../pack.ts';
import { postgresHealthDatabase } from './database.ts';
import { postgresHealthMetrics } from './metrics.ts';
import { thresholds } from './thresholds.ts';

export const postgresHealth = definePack({
  name: 'postgres_health',
  description: 'Connections, transactions, locks, vacuum and growth of any PostgreSQL database',
  metrics: postgresHealthMetrics,
  thresholds,
  costs: {
    database_connections: 'statistics',
    database_connections_active: 'statistics',
    database_connections_limit: 'statistics',
    database_connections_used: 'statistics',
    database_transaction_longest_seconds: 'statistics',
    database_idle_in_transaction_longest_seconds: 'statistics',
    database_xmin_age: 'statistics',
    database_locks_waiting: 'statistics',
    database_deadlocks_total: 'statistics',
    database_transactions_total: 'statistics',
    database_blocks_total: 'statistics',
    database_temp_bytes_total: 'statistics',
    database_size_bytes: 'sizes',
    database_freeze_age: 'statistics',
    database_table_size_bytes: 'sizes',
    database_table_indexes_size_bytes: 'sizes',
    database_table_rows: 'statistics',
    database_table_autovacuum_age_seconds: 'statistics',
    database_table_freeze_age: 'statistics',
  },
  database: postgresHealthDatabase,
  dashboards: async () => [(await import('./dashboards/database-health.ts')).databaseHealth],
  alerts: async () => (await import('./alerts/database.ts')).databaseAlerts,
  runbooks: {
    folder: new URL('./runbooks/', import.meta.url),
    address: 'https://unpkg.com/siphon-otel/src/packs/postgres-health/runbooks',
  },
});

import { definePack } from '../pack.ts';
import { postgresHealthDatabase } from './database.ts';
import { postgresHealthMetrics } from './metrics.ts';
import { thresholds } from './thresholds.ts';

export const postgresHealth = definePack({
  name: 'postgres_health',
  description: 'Connections, transactions, locks, vacuum and growth of any PostgreSQL database',
  metrics: postgresHealthMetrics,
  thresholds,
  database: postgresHealthDatabase,
  dashboards: async () => [(await import('./dashboards/database-health.ts')).databaseHealth],
  alerts: async () => (await import('./alerts/database.ts')).databaseAlerts,
});

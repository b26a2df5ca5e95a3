import { builtInRunbooks } from '../built-in-runbooks.ts';
import { definePack } from '../pack.ts';
import { groups } from './groups/index.ts';
import type { Group } from './groups/group.ts';
import { postgresHealthDatabase } from './database.ts';
import { postgresHealthMetrics } from './metrics.ts';
import { thresholds } from './thresholds.ts';

export const postgresHealth = definePack({
  name: 'postgres_health',
  description: 'Connections, statements, locks, vacuum, storage and replication of any PostgreSQL server',
  metrics: postgresHealthMetrics,
  detailMetrics: {
    database_version: 'changes only with an upgrade',
    database_is_standby: 'the panels of standbys are empty on a primary',
    database_temp_files_total: 'the bytes say more',
    database_wal_full_page_images_total: 'explains a growing write-ahead log',
    database_wal_buffers_full_total: 'for tuning wal_buffers',
    database_bgwriter_stops_total: 'for tuning bgwriter_lru_maxpages',
    database_pages_allocated_total: 'for tuning the background writer',
    database_io_operations_total: 'the bytes are on a panel',
    database_wal_archive_age_seconds: 'grows on a server without writes',
    database_replay_behind_bytes: 'the time is on a panel',
    database_wal_receiver_streaming: 'the lag of the standby grows without it',
    database_slot_active: 'slots are on a panel by state',
    database_slot_remaining_bytes: 'only with max_slot_wal_keep_size',
    database_each_deadlocks_total: 'those of the polled database are on a panel',
    database_each_temp_bytes_total: 'those of the polled database are on a panel',
    database_sequences_unreadable: 'for the setup of the role',
  },
  thresholds,
  costs: Object.assign({}, ...Object.values(groups).map(costs)),
  database: postgresHealthDatabase,
  dashboards: async () => [(await import('./dashboards/database-health.ts')).databaseHealth],
  alerts: async () => {
    const [database, workload, maintenance, replication] = await Promise.all([
      import('./alerts/database.ts'),
      import('./alerts/workload.ts'),
      import('./alerts/maintenance.ts'),
      import('./alerts/replication.ts'),
    ]);
    return [
      ...database.databaseAlerts,
      ...workload.workloadAlerts,
      ...maintenance.maintenanceAlerts,
      ...replication.replicationAlerts,
    ];
  },
  runbooks: builtInRunbooks('postgres-health'),
});

function costs({ metrics, cost }: Group): Record<string, Group['cost']> {
  return Object.fromEntries(Object.keys(metrics).map((name) => [name, cost]));
}

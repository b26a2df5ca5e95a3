import { postgresHealthMetrics } from '../metrics.ts';
import { metricColumns, type GaugeQuery } from '../../../components/receivers/db-poller/query.ts';

/** PostgreSQL's counters of the database, since its statistics were last reset, if ever. */
export const statistics: GaugeQuery = {
  needs: {},
  metrics: metricColumns(postgresHealthMetrics, {
    database_deadlocks_total: 'drop',
    database_transactions_total: 'drop',
    database_blocks_total: 'drop',
    database_temp_bytes_total: 'drop',
  }),
  since: 'reset_unix_ms',
  statement: () => ({
    text: `
      select extract(epoch from stats_reset) * 1000 as reset_unix_ms, counted.*
      from pg_stat_database cross join lateral (values
        ('commit', null, xact_commit, null::bigint, null::bigint, null::bigint),
        ('rollback', null, xact_rollback, null, null, null),
        (null, 'cache', null, blks_hit, null, null),
        (null, 'storage', null, blks_read, null, null),
        (null, null, null, null, deadlocks, temp_bytes)
      ) counted (outcome, found_in, database_transactions_total, database_blocks_total,
                 database_deadlocks_total, database_temp_bytes_total)
      where datname = current_database()`,
  }),
};

import { counter, gauge, group } from './group.ts';

/** Without a value while archive_mode is off. */
export const archiver = group({
  metrics: {
    database_wal_archived_total: counter(
      'database.wal.archived',
      '{file}',
      'Attempts to archive a file of the write-ahead log',
      { outcome: ['archived', 'failed'] },
    ),
    database_wal_archive_age_seconds: gauge(
      'database.wal.archive.age',
      's',
      'Time since a file of the write-ahead log was last archived; absent before the first time',
    ),
    database_wal_archive_failing: gauge(
      'database.wal.archive.failing',
      '{archive}',
      '1 if the last attempt to archive a file failed, 0 if it succeeded or none was made',
    ),
  },
  cost: 'statistics',
  needs: {
    pg_stat_archiver: ['archived_count', 'failed_count', 'last_archived_time', 'last_failed_time', 'stats_reset'],
  },
  since: 'reset_unix_ms',
  statement: () => ({
    text: `
      select extract(epoch from stats_reset) * 1000 as reset_unix_ms, counted.*
      from pg_stat_archiver cross join lateral (values
        ('archived', archived_count,
         extract(epoch from greatest(now(), last_archived_time) - last_archived_time),
         (last_failed_time is not null and last_failed_time > coalesce(last_archived_time, '-infinity'))::int),
        ('failed', failed_count, null, null)
      ) counted (outcome, database_wal_archived_total, database_wal_archive_age_seconds, database_wal_archive_failing)
      where current_setting('archive_mode') <> 'off'`,
  }),
});

import { counter, group } from './group.ts';

/** PostgreSQL's counters of the database, since its statistics were last reset, if ever. */
export const statistics = group({
  metrics: {
    database_deadlocks_total: counter(
      'database.deadlocks',
      '{deadlock}',
      'Deadlocks in the polled database, since its statistics were reset',
    ),
    database_transactions_total: counter(
      'database.transactions',
      '{transaction}',
      'Transactions that ended in the polled database, since its statistics were reset',
      { outcome: ['commit', 'rollback'] },
    ),
    database_blocks_total: counter(
      'database.blocks',
      '{block}',
      'Requested blocks, found in PostgreSQL\u2019s cache or read from storage, since its statistics were reset',
      { found_in: ['cache', 'storage'] },
    ),
    database_rows_total: counter(
      'database.rows',
      '{row}',
      'Rows that scans read, that indexes found, and that statements inserted, updated or deleted in the polled database',
      { operation: ['read', 'fetch', 'insert', 'update', 'delete'] },
    ),
    database_temp_bytes_total: counter(
      'database.temp',
      'By',
      'Bytes that queries wrote to temporary files, since the statistics were reset',
    ),
    database_temp_files_total: counter('database.temp.files', '{file}', 'Temporary files that queries created'),
    database_sessions_lost_total: counter(
      'database.sessions.lost',
      '{session}',
      'Sessions of the polled database that did not end normally: the client disappeared, an error ended them, or an operator did',
      { reason: ['abandoned', 'fatal', 'killed'] },
    ),
    database_checksum_failures_total: counter(
      'database.checksum.failures',
      '{page}',
      'Damaged pages that were found in the polled database; absent without data checksums',
    ),
  },
  cost: 'statistics',
  isPerDatabase: true,
  since: 'reset_unix_ms',
  statement: () => ({
    text: `
      select extract(epoch from stats_reset) * 1000 as reset_unix_ms, counted.*,
             case when outcome = 'commit' then deadlocks end as database_deadlocks_total,
             case when outcome = 'commit' then temp_bytes end as database_temp_bytes_total,
             case when outcome = 'commit' then temp_files end as database_temp_files_total,
             case when outcome = 'commit' then checksum_failures end as database_checksum_failures_total
      from pg_stat_database cross join lateral (values
        ('commit', null, null, null, xact_commit, null::bigint, null::bigint, null::bigint),
        ('rollback', null, null, null, xact_rollback, null, null, null),
        (null, 'cache', null, null, null, blks_hit, null, null),
        (null, 'storage', null, null, null, blks_read, null, null),
        (null, null, 'read', null, null, null, tup_returned, null),
        (null, null, 'fetch', null, null, null, tup_fetched, null),
        (null, null, 'insert', null, null, null, tup_inserted, null),
        (null, null, 'update', null, null, null, tup_updated, null),
        (null, null, 'delete', null, null, null, tup_deleted, null),
        (null, null, null, 'abandoned', null, null, null, sessions_abandoned),
        (null, null, null, 'fatal', null, null, null, sessions_fatal),
        (null, null, null, 'killed', null, null, null, sessions_killed)
      ) counted (outcome, found_in, operation, reason, database_transactions_total, database_blocks_total,
                 database_rows_total, database_sessions_lost_total)
      where datname = current_database()`,
  }),
});

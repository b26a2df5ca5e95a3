import type { Schema } from '../../../components/receivers/db-poller/query.ts';
import { counter, group } from './group.ts';

const backend = ['client', 'background_worker', 'autovacuum', 'checkpointer', 'background_writer', 'other'] as const;

/**
 * Since PostgreSQL 16, for tables, indexes and temporary tables. Times are known while track_io_timing is on: without it
 * the server counts 0.
 */
export const io = group({
  metrics: {
    database_io_bytes_total: counter(
      'database.io',
      'By',
      'Bytes that processes of the server read from files, wrote to them and extended them by',
      { backend, operation: ['read', 'write', 'extend'] },
    ),
    database_io_operations_total: counter(
      'database.io.operations',
      '{operation}',
      'Operations on files; evict: a page left the cache for another one',
      { backend, operation: ['read', 'write', 'extend', 'fsync', 'evict'] },
    ),
    database_io_time_seconds_total: counter(
      'database.io.time',
      's',
      'Time that operations on files took; absent while track_io_timing is off',
      { backend, operation: ['read', 'write', 'extend', 'fsync'] },
    ),
  },
  cost: 'statistics',
  needs: { pg_stat_io: ['backend_type', 'object', 'reads', 'writes', 'extends', 'fsyncs', 'evictions', 'stats_reset'] },
  uses: { pg_stat_io: ['read_bytes'] },
  sinceVersion: 16,
  since: 'reset_unix_ms',
  statement: (schema) => ({
    text: `
      with summed as (
        select case backend_type
                 when 'client backend' then 'client' when 'background worker' then 'background_worker'
                 when 'autovacuum worker' then 'autovacuum' when 'autovacuum launcher' then 'autovacuum'
                 when 'checkpointer' then 'checkpointer' when 'background writer' then 'background_writer'
                 else 'other' end as backend,
               max(stats_reset) as stats_reset, sum(reads) as reads, sum(writes) as writes, sum(extends) as extends,
               sum(fsyncs) as fsyncs, sum(evictions) as evictions, ${bytes(schema)},
               sum(read_time) as read_time, sum(write_time) as write_time, sum(extend_time) as extend_time,
               sum(fsync_time) as fsync_time
        from pg_stat_io where object <> 'wal' group by 1
      )
      select extract(epoch from stats_reset) * 1000 as reset_unix_ms, backend, operation, database_io_bytes_total,
             database_io_operations_total,
             case when current_setting('track_io_timing')::bool then time / 1000 end as database_io_time_seconds_total
      from summed cross join lateral (values
        ('read', read_bytes, reads, read_time),
        ('write', write_bytes, writes, write_time),
        ('extend', extend_bytes, extends, extend_time),
        ('fsync', null, fsyncs, fsync_time),
        ('evict', null, evictions, null)
      ) counted (operation, database_io_bytes_total, database_io_operations_total, time)`,
  }),
});

function bytes({ has }: Schema): string {
  return ['read', 'write', 'extend']
    .map((one) => `sum(${has('pg_stat_io', 'read_bytes') ? `${one}_bytes` : `${one}s * op_bytes`}) as ${one}_bytes`)
    .join(', ');
}

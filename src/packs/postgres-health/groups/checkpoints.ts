import type { Schema } from '../../../components/receivers/db-poller/query.ts';
import { counter, group } from './group.ts';

/** Since PostgreSQL 17 the checkpointer has a view of its own, and the writes of sessions are only in pg_stat_io. */
export const checkpoints = group({
  metrics: {
    database_checkpoints_total: counter(
      'database.checkpoints',
      '{checkpoint}',
      'Checkpoints, and restartpoints of a standby, by cause: the time, or a request, such as too much write-ahead log',
      { cause: ['time', 'request'] },
    ),
    database_checkpoint_time_seconds_total: counter(
      'database.checkpoint.time',
      's',
      'Time that checkpoints took to write pages, and to force them to disk',
      { phase: ['write', 'sync'] },
    ),
    database_pages_written_total: counter(
      'database.pages.written',
      '{page}',
      'Changed pages that were written to disk, by process; backend, since PostgreSQL 17, only in database_io_operations_total',
      { writer: ['checkpointer', 'background_writer', 'backend'] },
    ),
    database_bgwriter_stops_total: counter(
      'database.bgwriter.stops',
      '{round}',
      'Rounds that the background writer ended early because it had written its maximum',
    ),
    database_pages_allocated_total: counter(
      'database.pages.allocated',
      '{page}',
      'Pages that got a place in the cache',
    ),
  },
  cost: 'statistics',
  needs: { pg_stat_bgwriter: ['buffers_clean', 'maxwritten_clean', 'buffers_alloc', 'stats_reset'] },
  uses: { pg_stat_checkpointer: ['num_timed'] },
  since: 'reset_unix_ms',
  statement: ({ has }: Schema) => ({
    text: `
      select extract(epoch from stats_reset) * 1000 as reset_unix_ms, counted.*,
             null::bigint as database_bgwriter_stops_total, null::bigint as database_pages_allocated_total
      from (${has('pg_stat_checkpointer', 'num_timed') ? OWN_VIEW : SHARED_VIEW}) checkpointer
      cross join lateral (values
        ('time', null, null, timed, null, null),
        ('request', null, null, requested, null, null),
        (null, 'write', null, null, write_time / 1000, null),
        (null, 'sync', null, null, sync_time / 1000, null),
        (null, null, 'checkpointer', null, null, buffers_written),
        (null, null, 'backend', null, null, buffers_backend)
      ) counted (cause, phase, writer, database_checkpoints_total, database_checkpoint_time_seconds_total,
                 database_pages_written_total)
      union all
      select extract(epoch from stats_reset) * 1000, null, null, 'background_writer', null, null, buffers_clean,
             maxwritten_clean, buffers_alloc
      from pg_stat_bgwriter`,
  }),
});

const OWN_VIEW = `
  select stats_reset, num_timed + restartpoints_timed as timed, num_requested + restartpoints_req as requested,
         write_time, sync_time, buffers_written, null::bigint as buffers_backend
  from pg_stat_checkpointer`;

const SHARED_VIEW = `
  select stats_reset, checkpoints_timed as timed, checkpoints_req as requested,
         checkpoint_write_time as write_time, checkpoint_sync_time as sync_time,
         buffers_checkpoint as buffers_written, buffers_backend
  from pg_stat_bgwriter`;

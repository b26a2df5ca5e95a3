import { counter, gauge, group } from './group.ts';

/** Has values only on a standby. */
export const standby = group({
  metrics: {
    database_replay_behind_bytes: gauge(
      'database.replay.behind',
      'By',
      'On a standby: received write-ahead log that is not replayed yet',
    ),
    database_replay_lag_seconds: gauge(
      'database.replay.lag',
      's',
      'On a standby: age of the last replayed transaction; 0 if it is connected and has replayed everything that it received; then absent for a role that may not see the connection',
    ),
    database_wal_receiver_streaming: gauge(
      'database.wal.receiver.streaming',
      '{connection}',
      'On a standby: 1 while it is connected to the server that it follows, 0 while it is not',
    ),
    database_recovery_conflicts_total: counter(
      'database.recovery.conflicts',
      '{query}',
      'On a standby: queries of the polled database that ended because they delayed the replay',
      { cause: ['tablespace', 'lock', 'snapshot', 'bufferpin', 'deadlock'] },
    ),
  },
  cost: 'statistics',
  needs: { pg_stat_wal_receiver: ['pid', 'status'], pg_stat_database_conflicts: ['confl_lock'] },
  since: 'reset_unix_ms',
  statement: () => ({
    text: `
      select null::numeric as reset_unix_ms, null as cause, null::bigint as database_recovery_conflicts_total,
             -- greatest() alone would make 0 of NULL, which means unknown.
             case when received is not null then greatest(0, pg_wal_lsn_diff(received, replayed)) end
               as database_replay_behind_bytes,
             -- After a start, the receiver begins with a whole file of the log, so before what is replayed. The last
             -- transaction of an idle primary is old: without the status it does not show a lag.
             case when not streaming or received is null or received > replayed
                  then extract(epoch from greatest(now(), replayed_at) - replayed_at)
                  when streaming then 0
             end as database_replay_lag_seconds,
             streaming::int as database_wal_receiver_streaming
      from (select pg_last_wal_receive_lsn() as received, pg_last_wal_replay_lsn() as replayed,
                   pg_last_xact_replay_timestamp() as replayed_at,
                   -- A role without pg_read_all_stats sees no status.
                   case when not exists (select from pg_stat_wal_receiver) then false
                        else (select status = 'streaming' from pg_stat_wal_receiver) end as streaming) now_here
      where pg_is_in_recovery()
      union all
      select extract(epoch from stats_reset) * 1000, counted.*, null, null, null
      from pg_stat_database_conflicts conflicts join pg_stat_database using (datid)
      cross join lateral (values
        ('tablespace', confl_tablespace), ('lock', confl_lock), ('snapshot', confl_snapshot),
        ('bufferpin', confl_bufferpin), ('deadlock', confl_deadlock)
      ) counted (cause, total)
      where conflicts.datname = current_database() and pg_is_in_recovery()`,
  }),
});

import type { BudgetedLabel } from '../../../metrics/metric.ts';
import { gauge, group } from './group.ts';

const MOST_STANDBYS = 20;
const standby: BudgetedLabel = {
  maxValues: MOST_STANDBYS,
  description: 'the application_name of a standby; the largest lag of those with the same name',
};

/** The servers and clients that receive this server's changes. A role without pg_read_all_stats sees only their number. */
export const replication = group({
  metrics: {
    database_replication_clients: gauge(
      'database.replication.clients',
      '{connection}',
      'Connected standbys and other receivers of changes, by state; unknown if the role may not see it',
      { state: ['startup', 'catchup', 'streaming', 'backup', 'stopping', 'unknown'] },
    ),
    database_replication_behind_bytes: gauge(
      'database.replication.behind',
      'By',
      'Write-ahead log that a connected standby has not replayed yet',
      { standby },
    ),
    database_replication_lag_seconds: gauge(
      'database.replication.lag',
      's',
      'Time from the write of changes until a connected standby has replayed them; 0 if it has replayed everything, absent if it has not reported it',
      { standby },
    ),
  },
  merge: { database_replication_behind_bytes: 'max', database_replication_lag_seconds: 'max' },
  cost: 'statistics',
  needs: { pg_stat_replication: ['pid', 'application_name', 'state', 'replay_lsn', 'replay_lag'] },
  statement: () => ({
    text: `
      with client as materialized (
        select pid, coalesce(state, 'unknown') as state, application_name as standby, replay_lag,
               pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
                               replay_lsn) as behind
        from pg_stat_replication
      )
      select state, count(pid) as database_replication_clients,
             null as standby, null::numeric as database_replication_behind_bytes,
             null::numeric as database_replication_lag_seconds
      from unnest(array['startup', 'catchup', 'streaming', 'backup', 'stopping', 'unknown']) known (state)
      left join client using (state) group by state
      union all
      (select null, null, standby, greatest(behind, 0),
              case when behind <= 0 then 0 else extract(epoch from replay_lag) end
       from client where behind is not null order by behind desc limit $1)`,
    values: [MOST_STANDBYS],
  }),
});

import type { BudgetedLabel } from '../../../metrics/metric.ts';
import { gauge, group } from './group.ts';

const MOST_SLOTS = 20;
const slot: BudgetedLabel = {
  maxValues: MOST_SLOTS,
  description: 'name of the replication slot; those that retain most',
};

/** A slot without a reader keeps the write-ahead log until the disk is full. */
export const slots = group({
  metrics: {
    database_slots: gauge(
      'database.slots',
      '{slot}',
      'Replication slots by state: in use, not in use, or lost because the log that they need was removed',
      { state: ['active', 'inactive', 'lost'] },
    ),
    database_slot_retained_bytes: gauge(
      'database.slot.retained',
      'By',
      'Write-ahead log that the server keeps for a replication slot',
      { slot },
    ),
    database_slot_remaining_bytes: gauge(
      'database.slot.remaining',
      'By',
      'Write-ahead log that can be written until a slot is lost; absent without max_slot_wal_keep_size',
      { slot },
    ),
    database_slot_active: gauge('database.slot.active', '{slot}', '1 while a client uses the slot, 0 while none does', {
      slot,
    }),
  },
  cost: 'statistics',
  needs: { pg_replication_slots: ['slot_name', 'active', 'restart_lsn', 'wal_status', 'safe_wal_size'] },
  statement: () => ({
    text: `
      with slot as materialized (
        select slot_name, active, safe_wal_size, wal_status,
               case when wal_status = 'lost' then 'lost' when active then 'active' else 'inactive' end as state,
               pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
                               restart_lsn) as retained
        from pg_replication_slots
      )
      select state, count(slot_name) as database_slots, null as slot, null::numeric as database_slot_retained_bytes,
             null::bigint as database_slot_remaining_bytes, null::int as database_slot_active
      from unnest(array['active', 'inactive', 'lost']) known (state) left join slot using (state) group by state
      union all
      (select null, null, slot_name, greatest(retained, 0), safe_wal_size, active::int
       from slot order by retained desc nulls last, slot_name limit $1)`,
    values: [MOST_SLOTS],
  }),
});

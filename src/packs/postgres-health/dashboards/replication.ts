import {
  areas,
  events,
  lines,
  type Row,
  show,
  table,
  unknownWithoutPack,
  unusedWhenEmpty,
} from '../../../dashboards/model/panel.ts';
import { range, step } from '../../../dashboards/model/variables.ts';
import { max, min, sum } from '../../../dashboards/promql/aggregate.ts';
import { increase, latest } from './promql.ts';

const notPolled = unknownWithoutPack('postgres_health', 'pg_read_all_stats');
const noStandby = unusedWhenEmpty('no standby is connected');
const isNoStandby = unusedWhenEmpty('no polled server is a standby');

export const replication: Row = {
  title: 'Replication',
  panels: [
    areas({
      title: 'Receivers of changes',
      description: 'Connected standbys and other clients that receive changes, by state.',
      queries: [show(sum(latest('database_replication_clients'), ['state']), ({ state }) => state)],
      min: 0,
      empty: notPolled,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Lag of standbys',
      description: 'Time until a connected standby has replayed a change.',
      queries: [show(max(latest('database_replication_lag_seconds'), ['standby']), ({ standby }) => standby)],
      min: 0,
      empty: noStandby,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Lag of standbys in bytes',
      description: 'Write-ahead log that a connected standby has not replayed yet.',
      queries: [show(max(latest('database_replication_behind_bytes'), ['standby']), ({ standby }) => standby)],
      min: 0,
      empty: noStandby,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Kept for replication slots',
      description: 'Write-ahead log that stays on the disk until the client of a slot has received it.',
      queries: [show(max(latest('database_slot_retained_bytes'), ['slot']), ({ slot }) => slot)],
      min: 0,
      empty: unusedWhenEmpty('no replication slot'),
      width: 6,
      height: 7,
    }),
    areas({
      title: 'Replication slots',
      description: 'Slots by state. A lost slot cannot be used again: its client needs a new copy.',
      queries: [show(sum(latest('database_slots'), ['state']), ({ state }) => state)],
      tones: { active: 'good', inactive: 'warning', lost: 'bad' },
      min: 0,
      empty: notPolled,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Lag of this standby',
      description: 'Where the polled server is a standby: the age of the last change that it has replayed.',
      queries: [show(max(latest('database_replay_lag_seconds'), ['instance']), ({ instance }) => instance)],
      min: 0,
      empty: isNoStandby,
      width: 6,
      height: 7,
    }),
    events({
      title: 'Queries ended by the replay',
      description: 'Where the polled server is a standby: queries that delayed the replay for too long.',
      queries: [show(sum(increase('database_recovery_conflicts_total', step), ['cause']), ({ cause }) => cause)],
      empty: isNoStandby,
      width: 4,
      height: 7,
    }),
    table({
      title: 'Subscriptions',
      description: 'Logical replication into the polled database. Those that do not run come last.',
      labels: ['subscription'],
      sortBy: 'runs',
      columns: [
        show(min(latest('database_subscription_running'), ['subscription']), 'runs'),
        show(max(latest('database_subscription_silence_seconds'), ['subscription']), 'last message'),
        show(sum(increase('database_subscription_errors_total', range), ['subscription']), 'errors'),
      ],
      empty: unusedWhenEmpty('no subscription'),
      width: 8,
      height: 7,
    }),
  ],
};

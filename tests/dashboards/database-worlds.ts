/** Worlds of the alerts of the pack `postgres_health`, except DatabaseDown. */
import { always, growing } from '../support/prometheus/input-series.ts';
import { poller, type AlertWorld } from './alert-worlds.ts';

export const databaseWorlds: Readonly<Record<string, AlertWorld>> = {
  ConnectionsNearLimit: {
    labels: { instance: 'db_poller' },
    world: (value) => [
      always('database_connections_used', poller, 100 * value),
      always('database_connections_limit', poller, 100),
    ],
  },
  IdleInTransaction: {
    labels: { instance: 'db_poller' },
    world: (value) => [always('database_idle_in_transaction_longest_seconds', poller, value)],
  },
  LongTransaction: {
    labels: { instance: 'db_poller' },
    world: (value) => [always('database_transaction_longest_seconds', poller, value)],
  },
  FreezeAgeHigh: {
    labels: { instance: 'db_poller' },
    world: (value) => [always('database_freeze_age', poller, value)],
  },
  MultixactAgeHigh: {
    labels: { instance: 'db_poller' },
    world: (value) => [always('database_server_multixact_age', poller, value)],
  },
  LocksWaiting: {
    labels: { instance: 'db_poller' },
    world: (value) => [always('database_locks_waiting', poller, value)],
    values: { warning: 1, critical: 10, fine: 0 },
  },
  Deadlocks: {
    labels: { instance: 'db_poller' },
    world: (value) => [growing('database_deadlocks_total', poller, value / 60)],
    values: { warning: 1.5, critical: 10.5, fine: 0.5 },
    isState: false,
  },
  RollbacksHigh: {
    labels: { instance: 'db_poller' },
    world: (value) => [
      growing('database_transactions_total', { outcome: 'rollback', ...poller }, 64 * value),
      growing('database_transactions_total', { outcome: 'commit', ...poller }, 64 - 64 * value),
      // A database in which hardly anything happens.
      growing('database_transactions_total', { outcome: 'rollback', ...poller, instance: 'quiet' }, 3),
      growing('database_transactions_total', { outcome: 'commit', ...poller, instance: 'quiet' }, 1),
    ],
    values: { warning: 0.125, critical: 0.625, fine: 0.0625 },
    isState: false,
  },
  CacheHitsLow: {
    labels: { instance: 'db_poller' },
    world: (value) => [
      growing('database_blocks_total', { found_in: 'cache', ...poller }, 131_072 * value),
      growing('database_blocks_total', { found_in: 'storage', ...poller }, 131_072 - 131_072 * value),
      // A database that is hardly read.
      growing('database_blocks_total', { found_in: 'cache', ...poller, instance: 'quiet' }, 1),
      growing('database_blocks_total', { found_in: 'storage', ...poller, instance: 'quiet' }, 3000),
    ],
    values: { warning: 0.9375, critical: 0.75, fine: 0.96875 },
    isState: false,
  },
  DeadRowsHigh: {
    labels: { instance: 'db_poller', table: 'public.prices' },
    world: (value) => [
      always('database_table_rows', { table: 'public.prices', state: 'dead', ...poller }, 65_536 * value),
      always('database_table_rows', { table: 'public.prices', state: 'live', ...poller }, 65_536 - 65_536 * value),
      // A small table.
      always('database_table_rows', { table: 'public.roasters', state: 'dead', ...poller }, 9999),
      always('database_table_rows', { table: 'public.roasters', state: 'live', ...poller }, 40),
    ],
    values: { warning: 0.25, critical: 0.5, fine: 0.1875 },
  },
  XminAgeHigh: {
    labels: { instance: 'db_poller' },
    world: (value) => [always('database_xmin_age', poller, value)],
  },
  SlotUnused: {
    labels: { instance: 'db_poller', slot: 'forgotten' },
    world: (value) => [
      always('database_slot_retained_bytes', { slot: 'forgotten', ...poller }, value),
      always('database_slot_active', { slot: 'forgotten', ...poller }, 0),
      // A standby that is behind, and reads.
      always('database_slot_retained_bytes', { slot: 'standby', ...poller }, 1e12),
      always('database_slot_active', { slot: 'standby', ...poller }, 1),
    ],
  },
  ArchivingFails: {
    labels: { instance: 'db_poller' },
    world: (value) => [always('database_wal_archive_failing', poller, value)],
    values: { warning: 1, fine: 0 },
  },
  SequenceNearEnd: {
    labels: { instance: 'db_poller', sequence: 'public.orders_id_seq' },
    world: (value) => [always('database_sequence_used_ratio', { sequence: 'public.orders_id_seq', ...poller }, value)],
  },
  InvalidIndexes: {
    labels: { instance: 'db_poller' },
    world: (value) => [
      always('database_indexes_problem', { problem: 'invalid', ...poller }, value),
      always('database_indexes_problem', { problem: 'unused', ...poller, instance: 'other' }, 9),
    ],
    values: { warning: 1, fine: 0 },
  },
  ChecksumFailures: {
    labels: { instance: 'db_poller' },
    world: (value) => [growing('database_checksum_failures_total', poller, value / 60)],
    values: { critical: 2, fine: 0 },
    isState: false,
  },
  StandbyLag: {
    labels: { instance: 'db_poller', standby: 'reader' },
    world: (value) => [
      always('database_replication_lag_seconds', { standby: 'reader', ...poller }, value),
      always('database_replication_lag_seconds', { standby: 'other', ...poller }, 0),
    ],
  },
  ReplayLag: {
    labels: { instance: 'db_poller' },
    world: (value) => [always('database_replay_lag_seconds', poller, value)],
  },
  SubscriptionFails: {
    labels: { instance: 'db_poller', subscription: 'orders' },
    world: (value) => [
      always('database_subscription_running', { subscription: 'orders', ...poller }, value),
      // A subscription with an error now and then.
      always('database_subscription_running', { subscription: 'other', ...poller }, 1),
      growing('database_subscription_errors_total', { subscription: 'other', phase: 'apply', ...poller }, 0.5),
    ],
    values: { warning: 0, fine: 1 },
  },
};

import {
  areas,
  bars,
  events,
  lines,
  type Row,
  show,
  stat,
  unknownWhenEmpty,
  unknownWithoutPack,
  unusedWhenEmpty,
} from '../../../dashboards/model/panel.ts';
import { range, step } from '../../../dashboards/model/variables.ts';
import { max, sum } from '../../../dashboards/promql/aggregate.ts';
import { age, ratio } from '../../../dashboards/promql/arithmetic.ts';
import { connectionsUsed } from './expressions.ts';
import { change, increase, latest, rate } from './promql.ts';
import { thresholds } from '../thresholds.ts';

const notPolled = unknownWithoutPack('postgres_health', 'pg_read_all_stats');

export const server: Row = {
  title: 'Connections, transactions, locks',
  panels: [
    stat({
      title: 'Connections in use',
      description:
        'Connections of clients to the whole server, as a share of its limit. At 100 % the server refuses new connections.',
      queries: [show(connectionsUsed(), ({ instance }) => instance)],
      thresholds: thresholds.connections_used,
      min: 0,
      max: 1,
      empty: notPolled,
      width: 4,
      height: 7,
    }),
    areas({
      title: 'Connections by what they do',
      description:
        'Connections to the polled database by state. idle_in_transaction holds locks and keeps old rows without doing work.',
      queries: [show(sum(latest('database_connections'), ['state']), ({ state }) => state)],
      tones: {
        active: 'good',
        idle: 'neutral',
        idle_in_transaction: 'warning',
        idle_in_transaction_aborted: 'bad',
      },
      min: 0,
      empty: notPolled,
      width: 7,
      height: 7,
    }),
    lines({
      title: 'Active connections',
      description: 'Connections to the polled database that are running a statement.',
      queries: [show(max(latest('database_connections_active'), ['instance']), ({ instance }) => instance)],
      min: 0,
      empty: unknownWhenEmpty('the poller\u2019s role cannot see all sessions: it needs pg_read_all_stats'),
      width: 5,
      height: 7,
    }),
    lines({
      title: 'Longest transaction',
      description: 'Age of the oldest transaction. Find it in pg_stat_activity by xact_start.',
      queries: [show(max(latest('database_transaction_longest_seconds'), ['instance']), ({ instance }) => instance)],
      thresholds: thresholds.longest_transaction,
      min: 0,
      empty: notPolled,
      width: 4,
      height: 7,
    }),
    lines({
      title: 'Idle in a transaction',
      description:
        'The longest time for which a session has done nothing inside its transaction. It holds its locks meanwhile.',
      queries: [
        show(max(latest('database_idle_in_transaction_longest_seconds'), ['instance']), ({ instance }) => instance),
      ],
      thresholds: thresholds.idle_in_transaction,
      min: 0,
      empty: notPolled,
      width: 4,
      height: 7,
    }),
    lines({
      title: 'Locks that are waited for',
      description: 'Sessions that wait for a lock of another session. pg_blocking_pids() shows which one.',
      queries: [show(max(latest('database_locks_waiting'), ['instance']), ({ instance }) => instance)],
      thresholds: thresholds.locks_waiting,
      min: 0,
      empty: notPolled,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Transactions',
      description: 'Transactions per second. Rollbacks are errors of a client, unless they are read-only polls.',
      queries: [show(sum(rate('database_transactions_total', step), ['outcome']), ({ outcome }) => outcome)],
      tones: { commit: 'good', rollback: 'warning' },
      min: 0,
      empty: notPolled,
      width: 6,
      height: 7,
    }),
    events({
      title: 'Deadlocks',
      description: 'Each deadlock aborted a transaction. The server\u2019s log names both statements.',
      queries: [show(sum(increase('database_deadlocks_total', step), ['instance']), ({ instance }) => instance)],
      empty: notPolled,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Found in the cache',
      description: 'Share of the requested blocks that PostgreSQL found in its own cache.',
      queries: [
        show(
          ratio(
            sum(rate('database_blocks_total', step, { found_in: 'cache' }), ['instance']),
            sum(rate('database_blocks_total', step), ['instance']),
          ),
          ({ instance }) => instance,
        ),
      ],
      thresholds: thresholds.cache_hits,
      min: 0,
      max: 1,
      empty: notPolled,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Size',
      description: 'Size of the polled database on disk.',
      queries: [show(max(latest('database_size_bytes'), ['instance']), ({ instance }) => instance)],
      min: 0,
      empty: notPolled,
      width: 6,
      height: 7,
    }),
    bars({
      title: 'Growth',
      description: 'Growth of each table in bytes, without its indexes.',
      queries: [show(sum(change('database_table_size_bytes', range), ['table']), ({ table }) => table)],
      empty: unknownWhenEmpty('no table was measured before the time range'),
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Written to temporary files',
      description: 'Bytes that sorts and hashes wrote to disk because they did not fit into work_mem.',
      queries: [show(sum(rate('database_temp_bytes_total', step), ['instance']), ({ instance }) => instance)],
      min: 0,
      empty: notPolled,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Old rows that must be kept',
      description: 'Transactions since the oldest snapshot in use. Vacuum cannot remove rows that are newer.',
      queries: [show(max(latest('database_xmin_age'), ['instance']), ({ instance }) => instance)],
      thresholds: thresholds.xmin_age,
      min: 0,
      empty: notPolled,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Rows',
      description: 'Rows per second of the polled database: read by scans, found by indexes, and changed.',
      queries: [show(sum(rate('database_rows_total', step), ['operation']), ({ operation }) => operation)],
      min: 0,
      empty: notPolled,
      width: 8,
      height: 7,
    }),
    events({
      title: 'Lost sessions',
      description: 'Sessions that did not end normally: their client disappeared, an error or an operator ended them.',
      queries: [show(sum(increase('database_sessions_lost_total', step), ['reason']), ({ reason }) => reason)],
      empty: notPolled,
      width: 6,
      height: 7,
    }),
    events({
      title: 'Damaged pages',
      description: 'Pages whose checksum was wrong when they were read. Restore them from a backup.',
      queries: [
        show(sum(increase('database_checksum_failures_total', step), ['instance']), ({ instance }) => instance),
      ],
      empty: unusedWhenEmpty('the cluster has no data checksums'),
      width: 5,
      height: 7,
    }),
    stat({
      title: 'Up for',
      description: 'Time since the server started. A short time that is not expected is a crash.',
      queries: [show(age(max(latest('database_start_timestamp_seconds'), ['instance'])), ({ instance }) => instance)],
      empty: notPolled,
      width: 5,
      height: 7,
    }),
  ],
};

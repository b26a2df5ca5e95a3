import type { Threshold } from '../../dashboards/threshold.ts';

const MINUTE = 60;
const GIB = 1024 ** 3;

export const thresholds = {
  rpc_error_rate: {
    bad: 'above',
    unit: '1',
    warning: 0.01,
    critical: 0.1,
    why: 'Writes should not fail; at 10 % the data falls behind',
  },
  connections_used: {
    bad: 'above',
    unit: '1',
    warning: 0.75,
    critical: 0.9,
    why: 'Above 90 % the next deployment or job may not get a connection',
  },
  pool_pending: {
    bad: 'above',
    unit: '{request}',
    warning: 1,
    critical: 10,
    why: 'The pipeline loses the time that requests wait for a connection',
  },
  longest_transaction: {
    bad: 'above',
    unit: 's',
    warning: 30 * MINUTE,
    why: 'A transaction holds back vacuum and exact counting for as long as it lasts; a backup or a report may take an hour',
  },
  idle_in_transaction: {
    bad: 'above',
    unit: 's',
    warning: 5 * MINUTE,
    critical: 30 * MINUTE,
    why: 'A session that does nothing for five minutes inside a transaction was forgotten, and holds its locks',
  },
  freeze_age: {
    bad: 'above',
    unit: '{transaction}',
    warning: 500_000_000,
    critical: 1_500_000_000,
    why: 'Autovacuum freezes at 200 million by default, so at 500 million it does not keep up; writes stop at 2^31',
  },
  multixact_age: {
    bad: 'above',
    unit: '{multixact}',
    warning: 700_000_000,
    critical: 1_500_000_000,
    why: 'Autovacuum freezes multixacts at 400 million by default, so at 700 million it does not keep up; writes stop at 2^31',
  },
  xmin_age: {
    bad: 'above',
    unit: '{transaction}',
    warning: 10_000_000,
    critical: 100_000_000,
    why: 'At a thousand transactions a second ten million are three hours, longer than a backup; 100 million are half of autovacuum_freeze_max_age',
  },
  dead_rows: {
    bad: 'above',
    unit: '1',
    warning: 0.2,
    critical: 0.5,
    why: 'Autovacuum starts when dead rows are 20 % of the live ones by default, a sixth of all; at 50 % of all it cannot finish',
  },
  cache_hits: {
    bad: 'below',
    unit: '1',
    warning: 0.95,
    critical: 0.8,
    why: 'A working set that fits has 99 % cache hits; below 80 % most queries wait for storage',
  },
  locks_waiting: {
    bad: 'above',
    unit: '{lock}',
    warning: 1,
    critical: 10,
    why: 'Waiting sessions do no work; ten are as many as the pool of a service',
  },
  deadlocks: {
    bad: 'above',
    unit: '{deadlock}',
    warning: 1,
    critical: 10,
    why: 'A deadlock costs one transaction, which most clients repeat; ten in an hour mean that two statements always lock in different orders',
  },
  rollbacks: {
    bad: 'above',
    unit: '1',
    warning: 0.1,
    critical: 0.5,
    why: 'Some applications roll back a few percent on purpose; at a tenth one of them fails at what it does',
  },
  standby_lag: {
    bad: 'above',
    unit: 's',
    warning: MINUTE,
    critical: 30 * MINUTE,
    why: 'Queries on a standby delay the replay for 30 s by default, so at a minute something else does; half an hour takes long to catch up in a failover',
  },
  slot_retained: {
    bad: 'above',
    unit: 'By',
    warning: GIB,
    critical: 50 * GIB,
    why: 'One gibibyte is the default of max_wal_size, which a server without slots rarely exceeds; few disks have fifty to spare',
  },
  sequence_used: {
    bad: 'above',
    unit: '1',
    warning: 0.8,
    critical: 0.95,
    why: 'At 80 % there is time to change the type of the column; at the end every insert fails',
  },
} as const satisfies Record<string, Threshold>;

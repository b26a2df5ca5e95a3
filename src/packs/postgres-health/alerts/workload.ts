import { max, sum } from '../../../dashboards/promql/aggregate.ts';
import { compare, ratio } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { increase, latest } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';
import { heldByPoller } from './when-missing.ts';

/** Long enough that one report or one failed batch is not a share of its own. */
const WHILE = '30m';
const rollbacks = sum(increase('database_transactions_total', WHILE, { outcome: 'rollback' }), ['instance']);
const blocks = increase('database_blocks_total', WHILE);

/** Fewer rollbacks are those of people and of tests. */
const SOME_ROLLBACKS = 100;
/** 800 MB within half an hour: a server that reads less does not wait for its storage. */
const MANY_BLOCKS = 100_000;

/** Alerts on what clients do to each other and to the server. */
export const workloadAlerts: readonly Alert[] = [
  alert({
    name: 'LocksWaiting',
    owner: 'database',
    measured: max(latest('database_locks_waiting'), ['instance']),
    raisedBy: { threshold: thresholds.locks_waiting },
    level: { warning: 'info' },
    for: '5m',
    keepFiringFor: '3m',
    summary: () => 'Sessions wait for locks',
    description: ({ instance, value }, limit) =>
      `${value} locks have been waited for throughout five minutes, according to ${instance} (limit ${limit}).`,
    whenMissing: heldByPoller,
    panel: { dashboard: 'siphon-database', title: 'Locks that are waited for' },
  }),
  alert({
    name: 'Deadlocks',
    owner: 'database',
    measured: sum(increase('database_deadlocks_total', '1h'), ['instance']),
    raisedBy: { threshold: thresholds.deadlocks },
    level: { warning: 'info' },
    for: '0m',
    keepFiringFor: '10m',
    summary: () => 'Transactions deadlock',
    description: ({ instance, value }, limit) =>
      `PostgreSQL ended ${value} transactions within an hour because of deadlocks, according to ${instance} (limit ${limit}).`,
    whenMissing: heldByPoller,
    panel: { dashboard: 'siphon-database', title: 'Deadlocks' },
  }),
  alert({
    name: 'RollbacksHigh',
    owner: 'database',
    measured: ratio(rollbacks, sum(increase('database_transactions_total', WHILE), ['instance'])),
    guard: compare(rollbacks, '>=', SOME_ROLLBACKS),
    raisedBy: { threshold: thresholds.rollbacks },
    level: { warning: 'info' },
    for: '10m',
    keepFiringFor: '10m',
    summary: () => 'Many transactions are rolled back',
    description: ({ instance, value }, limit) =>
      `${value} of the transactions within half an hour were rolled back, according to ${instance} (limit ${limit}).`,
    whenMissing: `${heldByPoller} It is also silent with fewer than a hundred rollbacks.`,
    panel: { dashboard: 'siphon-database', title: 'Transactions' },
  }),
  alert({
    name: 'CacheHitsLow',
    owner: 'database',
    measured: ratio(
      sum(increase('database_blocks_total', WHILE, { found_in: 'cache' }), ['instance']),
      sum(blocks, ['instance']),
    ),
    guard: compare(
      sum(increase('database_blocks_total', WHILE, { found_in: 'storage' }), ['instance']),
      '>=',
      MANY_BLOCKS,
    ),
    raisedBy: { threshold: thresholds.cache_hits },
    level: { warning: 'info' },
    // A backup reads everything once.
    for: '1h',
    keepFiringFor: '10m',
    summary: () => 'PostgreSQL reads much from storage',
    description: ({ instance, value }, limit) =>
      `Only ${value} of the requested blocks were in the cache of PostgreSQL, according to ${instance} (limit ${limit}).`,
    whenMissing: `${heldByPoller} It is also silent if fewer than 100,000 blocks were read within half an hour.`,
    panel: { dashboard: 'siphon-database', title: 'Found in the cache' },
  }),
];

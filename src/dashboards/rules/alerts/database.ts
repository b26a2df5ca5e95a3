import { max, sum } from '../../promql/aggregate.ts';
import { compare, unless } from '../../promql/arithmetic.ts';
import { increase, latest } from '../../promql/select.ts';
import { connectionsUsed, pollAge } from '../../content/expressions.ts';
import { alert, type Alert } from '../alert.ts';

/** Shorter than what PollerFailing waits for, so that the cause is told before what follows from it. */
const SILENCE_SECONDS = 90;

/** Failures of which the database is innocent. */
const OTHERS = ['pipeline_refused', 'storage', 'internal'] as const;

const heldByPoller =
  'Silent, since nothing is known; what fired goes on for a while. DatabaseDown and PollerFailing say that the database is not asked.';

export const databaseAlerts: readonly Alert[] = [
  alert({
    name: 'DatabaseDown',
    owner: 'database',
    measured: unless(
      compare(sum(increase('siphon_db_poller_errors', '5m', { reason: { not: OTHERS } }), ['receiver']), '>=', 1),
      compare(pollAge(['receiver']), '<', SILENCE_SECONDS),
    ),
    raisedBy: { severity: 'critical' },
    for: '30s',
    // Longer than those that it keeps back: what is asked once a minute succeeds later than the first query does.
    keepFiringFor: '5m',
    summary: () => 'The database does not answer',
    description: ({ receiver, value }) =>
      `No query of ${receiver} has succeeded for 90 seconds; ${value} have failed within five minutes.`,
    whenMissing:
      'Silent: without errors nobody has asked. PollerWithoutLeader and SidecarDown say that. A database that has never answered fires, since its errors are counted.',
    panel: { dashboard: 'siphon-database', title: 'Failed polls' },
  }),
  alert({
    name: 'ConnectionsNearLimit',
    owner: 'database',
    measured: connectionsUsed(),
    raisedBy: { threshold: 'connections_used' },
    for: '5m',
    keepFiringFor: '10m',
    summary: () => 'The database is running out of connections',
    description: ({ instance, value }, limit) =>
      `${value} of the connections that the server allows are in use, as ${instance} sees it (limit ${limit}).`,
    whenMissing: heldByPoller,
    panel: { dashboard: 'siphon-database', title: 'Connections in use' },
  }),
  alert({
    name: 'LongTransaction',
    owner: 'database',
    measured: max(latest('database_transaction_longest_seconds'), ['instance']),
    raisedBy: { threshold: 'longest_transaction' },
    for: '1m',
    keepFiringFor: '5m',
    summary: () => 'A transaction does not end',
    description: ({ instance, value }, limit) =>
      `The oldest transaction of the database is ${value} old, as ${instance} sees it (limit ${limit}). It holds back vacuum and exact counting.`,
    whenMissing: heldByPoller,
    panel: { dashboard: 'siphon-database', title: 'Longest transaction' },
  }),
  alert({
    name: 'FreezeAgeHigh',
    owner: 'database',
    measured: max(latest('database_freeze_age'), ['instance']),
    raisedBy: { threshold: 'freeze_age' },
    for: '15m',
    keepFiringFor: '1h',
    summary: () => 'Old rows are not frozen in time',
    description: ({ instance, value }, limit) =>
      `The oldest row that is not frozen is ${value} transactions old, as ${instance} sees it (limit ${limit}). PostgreSQL stops taking writes shortly before 2147483648.`,
    whenMissing: heldByPoller,
    panel: { dashboard: 'siphon-database', title: 'Freeze age' },
  }),
];

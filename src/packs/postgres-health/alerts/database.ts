import { max, sum } from '../../../dashboards/promql/aggregate.ts';
import { and, compare, unless } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { leaders, pollAge } from '../../sidecar/dashboards/expressions.ts';
import { connectionsUsed } from '../dashboards/expressions.ts';
import { increase, latest } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';

/** Shorter than what PollerFailing waits for, so that the cause is told before what follows from it. */
const SILENCE_SECONDS = 90;

/** Failures of which the database is innocent. */
const OTHERS = ['pooler', 'pipeline_refused', 'storage', 'internal'] as const;

const failing = compare(
  sum(increase('siphon_db_poller_errors', '5m', { reason: { not: OTHERS } }), ['receiver']),
  '>=',
  1,
);

const queried = compare(pollAge(['receiver'], { query: { not: 'leader_election' } }), '<', SILENCE_SECONDS);

/** Sidecars that stand by ask for nothing but the lead; one that leads may get an answer to that and to nothing else. */
const elected = compare(pollAge(['receiver'], { query: 'leader_election' }), '<', SILENCE_SECONDS);
const stoodBy = and(elected, compare(leaders(), '<', 1));

const heldByPoller =
  'Silent, since nothing is known; what fired goes on for a while. DatabaseDown, PollerWithoutLeader and PollerFailing say that the database is not asked.';

export const databaseAlerts: readonly Alert[] = [
  alert({
    name: 'DatabaseDown',
    owner: 'database',
    measured: unless(unless(failing, queried), stoodBy),
    // Errors outlast the page of a sidecar that is away.
    guard: leaders(),
    raisedBy: { severity: 'critical' },
    for: '30s',
    // Longer than those that it keeps back: what is asked once a minute succeeds later than the first query does.
    keepFiringFor: '5m',
    summary: () => 'The database does not answer',
    description: ({ receiver, value }) =>
      `No query of ${receiver} has succeeded for 90 seconds; ${value} have failed within five minutes.`,
    whenMissing:
      'Silent: without errors nobody has asked, and PollerWithoutLeader says that; without the sidecar\u2019s own page nobody knows, and SidecarDown says that. A database that has never answered fires, since its errors are counted. Where all sidecars stand by, one that gets an answer is enough to know that the database is well.',
    panel: { dashboard: 'siphon-database', title: 'Failed polls' },
  }),
  alert({
    name: 'ConnectionsNearLimit',
    owner: 'database',
    measured: connectionsUsed(),
    raisedBy: { threshold: thresholds.connections_used },
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
    raisedBy: { threshold: thresholds.longest_transaction },
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
    raisedBy: { threshold: thresholds.freeze_age },
    for: '15m',
    keepFiringFor: '1h',
    summary: () => 'Old rows are not frozen in time',
    description: ({ instance, value }, limit) =>
      `The oldest row that is not frozen is ${value} transactions old, as ${instance} sees it (limit ${limit}). PostgreSQL stops taking writes shortly before 2147483648.`,
    whenMissing: heldByPoller,
    panel: { dashboard: 'siphon-database', title: 'Freeze age' },
  }),
];

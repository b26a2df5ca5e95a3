import { max, sum } from '../../../dashboards/promql/aggregate.ts';
import { and, compare, unless } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { leaders, pollAge } from '../../sidecar/dashboards/expressions.ts';
import { connectionsUsed } from '../dashboards/expressions.ts';
import { increase, latest } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';

/** Shorter than the wait of PollerFailing, so that the cause is reported before its consequences. */
const SILENCE_SECONDS = 90;

/** Failures that the database did not cause. */
const OTHERS = ['pooler', 'pipeline_refused', 'storage', 'internal'] as const;

const failing = compare(
  sum(increase('siphon_db_poller_errors', '5m', { reason: { not: OTHERS } }), ['receiver']),
  '>=',
  1,
);

const queried = compare(pollAge(['receiver'], { query: { not: 'leader_election' } }), '<', SILENCE_SECONDS);

/** A sidecar that stands by runs the leader election only. A leader may get an answer to the election and to no other query. */
const elected = compare(pollAge(['receiver'], { query: 'leader_election' }), '<', SILENCE_SECONDS);
const stoodBy = and(elected, compare(leaders(), '<', 1));

const heldByPoller =
  'Silent: the value is unknown. A firing alert continues for its keep_firing_for. DatabaseDown, PollerWithoutLeader and PollerFailing report that the database is not polled.';

export const databaseAlerts: readonly Alert[] = [
  alert({
    name: 'DatabaseDown',
    owner: 'database',
    measured: unless(unless(failing, queried), stoodBy),
    // Errors remain in the window after the sidecar has stopped.
    guard: leaders(),
    raisedBy: { severity: 'critical' },
    for: '30s',
    // Longer than the alerts that it inhibits: queries that run once a minute succeed later than the first one.
    keepFiringFor: '5m',
    summary: () => 'The database does not answer',
    description: ({ receiver, value }) =>
      `No query of ${receiver} has succeeded for 90 seconds; ${value} have failed within five minutes.`,
    whenMissing:
      'Silent: without errors the database was not polled, which raises PollerWithoutLeader; without the sidecar\u2019s own metrics SidecarDown fires. A database that has never answered raises this alert, because its errors are counted. If all sidecars stand by, an answer to one of them is enough to keep it silent.',
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
      `${value} of the connections that the server allows are in use, according to ${instance} (limit ${limit}).`,
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
    summary: () => 'A transaction has been open for too long',
    description: ({ instance, value }, limit) =>
      `The oldest transaction of the database is ${value} old, according to ${instance} (limit ${limit}). It holds back vacuum and exact counting.`,
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
      `The oldest unfrozen row is ${value} transactions old, according to ${instance} (limit ${limit}). PostgreSQL stops accepting writes shortly before 2147483648.`,
    whenMissing: heldByPoller,
    panel: { dashboard: 'siphon-database', title: 'Freeze age' },
  }),
];

import { max, min, sum } from '../../../dashboards/promql/aggregate.ts';
import { and, compare, or, unless } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { leaders, missedPolls } from '../../sidecar/dashboards/expressions.ts';
import { connectionsUsed } from '../dashboards/expressions.ts';
import type { Duration } from '../../../dashboards/promql/node.ts';
import type { Vector } from '../../../dashboards/promql/vector.ts';
import { increase, latest } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';
import { heldByPoller } from './when-missing.ts';

/** Fewer than for PollerFailing, so that the cause is reported before its consequences. */
const SILENT_POLLS = 3;
/** Polls that are more frequent count as if they ran at this interval. */
const SHORTEST_S = 30;

/** The database did not cause these failures, or it answered and refused one query. */
const OTHERS = [
  ...(['pooler', 'pipeline_refused', 'storage', 'internal'] as const),
  ...(['lock_timeout', 'recovery_conflict', 'permission', 'missing_table', 'missing_column', 'read_only'] as const),
  ...(['too_many_rows', 'too_many_keys'] as const),
] as const;

const failures = (window: Duration): Vector<'receiver'> =>
  compare(sum(increase('siphon_db_poller_errors', window, { reason: { not: OTHERS } }), ['receiver']), '>=', 1);

/** Queries that all run less often, as with `wake_interval`, are also repeated less often after a failure. */
const RARE_S = 300;
const isRare = compare(min(latest('siphon_db_poller_query_interval_seconds'), ['receiver']), '>', RARE_S);
const failing = or(failures('15m'), and(failures('2d'), isRare));

type Where = Parameters<typeof missedPolls>[2];

const answered = (where: Where): Vector<'receiver'> =>
  compare(missedPolls(['receiver'], SHORTEST_S, where), '<', SILENT_POLLS);

const queried = answered({ query: { not: 'leader_election' } });

/** A sidecar that stands by runs the leader election only. A leader may get an answer to the election and to no other query. */
const elected = answered({ query: 'leader_election' });
const stoodBy = and(elected, compare(leaders(), '<', 1));

export const databaseAlerts: readonly Alert[] = [
  alert({
    name: 'DatabaseDown',
    owner: 'database',
    measured: unless(unless(failing, queried), stoodBy),
    // Errors remain in the window after the sidecar has stopped.
    guard: leaders(),
    raisedBy: { severity: 'critical' },
    level: { critical: 'page' },
    for: '30s',
    // Longer than the alerts that it inhibits: queries that run once a minute succeed later than the first one.
    keepFiringFor: '5m',
    summary: () => 'The database does not answer',
    description: ({ receiver }) =>
      `No query of ${receiver} has succeeded for three of its intervals, and at least 90 seconds; the attempts since have failed.`,
    whenMissing:
      'Silent: without errors the database was not polled, which raises PollerWithoutLeader; without the sidecar\u2019s own metrics SidecarDown fires. A database that has never answered raises this alert, because its errors are counted. If all sidecars stand by, an answer to one of them is enough to keep it silent.',
    panel: { dashboard: 'siphon-sidecar', title: 'Failed polls' },
  }),
  alert({
    name: 'ConnectionsNearLimit',
    owner: 'database',
    measured: connectionsUsed(),
    raisedBy: { threshold: thresholds.connections_used },
    level: { critical: 'page' },
    for: '5m',
    keepFiringFor: '10m',
    summary: () => 'The database is running out of connections',
    description: ({ instance, value }, limit) =>
      `${value} of the connections that the server allows are in use, according to ${instance} (limit ${limit}).`,
    whenMissing: heldByPoller,
    panel: { dashboard: 'siphon-database', title: 'Connections in use' },
  }),
  alert({
    name: 'IdleInTransaction',
    owner: 'database',
    measured: max(latest('database_idle_in_transaction_longest_seconds'), ['instance']),
    raisedBy: { threshold: thresholds.idle_in_transaction },
    level: { warning: 'info' },
    for: '1m',
    // Longer than the alerts that it inhibits.
    keepFiringFor: '5m',
    summary: () => 'A session is idle inside a transaction',
    description: ({ instance, value }, limit) =>
      `A session has done nothing for ${value} inside a transaction, according to ${instance} (limit ${limit}). It holds its locks, and holds back vacuum and exact counting.`,
    whenMissing: heldByPoller,
    panel: { dashboard: 'siphon-database', title: 'Idle in a transaction' },
  }),
  alert({
    name: 'LongTransaction',
    owner: 'database',
    measured: max(latest('database_transaction_longest_seconds'), ['instance']),
    raisedBy: { threshold: thresholds.longest_transaction },
    level: { warning: 'info' },
    for: '1m',
    keepFiringFor: '3m',
    summary: () => 'A transaction has been open for long',
    description: ({ instance, value }, limit) =>
      `The oldest transaction of the database is ${value} old, according to ${instance} (limit ${limit}). It holds back vacuum and exact counting.`,
    whenMissing: heldByPoller,
    panel: { dashboard: 'siphon-database', title: 'Longest transaction' },
  }),
];

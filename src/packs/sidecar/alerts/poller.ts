import { max } from '../../../dashboards/promql/aggregate.ts';
import { compare } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { leaders, pollAge } from '../dashboards/expressions.ts';
import { latest } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';

const withoutPoller = 'Silent: there is no poller, or the sidecar\u2019s own page is away, which is SidecarDown.';

export const pollerAlerts: readonly Alert[] = [
  alert({
    name: 'PollerFailing',
    owner: 'sidecar',
    measured: pollAge(['receiver', 'query']),
    // Whoever stands by has ages too, of queries that are another’s now.
    guard: compare(leaders(), '>=', 1),
    raisedBy: { threshold: thresholds.poll_age },
    for: '3m',
    keepFiringFor: '3m',
    summary: ({ query }) => `The query ${query} fails`,
    description: ({ receiver, query, value }, limit) =>
      `${query} of ${receiver} last succeeded ${value} ago (limit ${limit}). What it feeds is gone from dashboards and alerts.`,
    whenMissing: `${withoutPoller} Without a leader nothing is asked, which is PollerWithoutLeader. A query that has never succeeded has no age: DatabaseDown tells when none does, and the log names what the schema lacks.`,
    panel: { dashboard: 'siphon-database', title: 'Since the last success' },
  }),
  alert({
    name: 'PollerLagging',
    owner: 'sidecar',
    measured: max(latest('siphon_db_poller_horizon_lag_seconds'), ['receiver']),
    raisedBy: { threshold: thresholds.poller_lag },
    for: '1m',
    keepFiringFor: '10m',
    summary: () => 'Rows are counted late',
    description: ({ receiver, value }, limit) =>
      `${receiver} waits for a transaction that is ${value} old before it counts what came after (limit ${limit}).`,
    whenMissing: withoutPoller,
    panel: { dashboard: 'siphon-database', title: 'Lag of counting' },
  }),
  alert({
    name: 'PollerBacklog',
    owner: 'sidecar',
    measured: max(latest('siphon_db_poller_backlog_rows'), ['receiver', 'query']),
    raisedBy: { threshold: thresholds.poller_backlog },
    for: '10m',
    keepFiringFor: '10m',
    summary: ({ query }) => `Counting of ${query} does not keep up`,
    description: ({ receiver, query, value }, limit) =>
      `${value} rows wait to be counted by ${query} of ${receiver} (limit ${limit}).`,
    whenMissing: withoutPoller,
    panel: { dashboard: 'siphon-database', title: 'Backlog of counting' },
  }),
  alert({
    name: 'PollerWithoutLeader',
    owner: 'sidecar',
    measured: leaders(),
    raisedBy: { threshold: thresholds.poller_leader },
    for: '5m',
    keepFiringFor: '1m',
    summary: () => 'No sidecar that is scraped polls the database',
    description: ({ receiver }) =>
      `Every sidecar with ${receiver} that Prometheus scrapes stands by: nobody holds the lock that elects one, or a sidecar does that is not scraped.`,
    whenMissing: withoutPoller,
    panel: { dashboard: 'siphon-database', title: 'Sidecars that poll' },
  }),
];

import { max } from '../../../dashboards/promql/aggregate.ts';
import { compare } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { leaders, pollAge } from '../dashboards/expressions.ts';
import { latest } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';

const withoutPoller = 'Silent: no poller is configured, or the sidecar does not answer, which raises SidecarDown.';

export const pollerAlerts: readonly Alert[] = [
  alert({
    name: 'PollerFailing',
    owner: 'sidecar',
    measured: pollAge(['receiver', 'query']),
    // A sidecar that stands by also has ages, from the time when it was the leader.
    guard: compare(leaders(), '>=', 1),
    raisedBy: { threshold: thresholds.poll_age },
    for: '3m',
    keepFiringFor: '3m',
    summary: ({ query }) => `The query ${query} fails`,
    description: ({ receiver, query, value }, limit) =>
      `${query} of ${receiver} last succeeded ${value} ago (limit ${limit}). Dashboards and alerts that use its data are stale or empty.`,
    whenMissing: `${withoutPoller} Without a leader no query runs, which raises PollerWithoutLeader. A query that has never succeeded has no age: DatabaseDown fires if no query succeeds, and the log names missing tables and columns.`,
    panel: { dashboard: 'siphon-database', title: 'Since the last success' },
  }),
  alert({
    name: 'PollerLagging',
    owner: 'sidecar',
    measured: max(latest('siphon_db_poller_horizon_lag_seconds'), ['receiver']),
    raisedBy: { threshold: thresholds.poller_lag },
    for: '1m',
    keepFiringFor: '10m',
    summary: () => 'Counting of rows lags behind',
    description: ({ receiver, value }, limit) =>
      `${receiver} waits for a write transaction that is ${value} old before it counts later rows (limit ${limit}).`,
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
    summary: ({ query }) => `Counting of ${query} falls behind`,
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
    summary: () => 'No scraped sidecar polls the database',
    description: ({ receiver }) =>
      `Every sidecar with ${receiver} that Prometheus scrapes stands by: the leader lock is free, or held by a sidecar that Prometheus does not scrape.`,
    whenMissing: withoutPoller,
    panel: { dashboard: 'siphon-database', title: 'Sidecars that poll' },
  }),
];

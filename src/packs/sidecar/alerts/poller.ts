import { max, min } from '../../../dashboards/promql/aggregate.ts';
import { compare } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { leaders, missedPolls, USUAL_INTERVAL_S } from '../dashboards/expressions.ts';
import { latest } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';

const withoutPoller = 'Silent: no poller is configured, or the sidecar does not answer, which raises SidecarDown.';

export const pollerAlerts: readonly Alert[] = [
  alert({
    name: 'PollerFailing',
    owner: 'sidecar',
    measured: missedPolls(['receiver', 'query'], USUAL_INTERVAL_S),
    // A sidecar that stands by also has ages, from the time when it was the leader.
    guard: compare(leaders(), '>=', 1),
    raisedBy: { threshold: thresholds.poll_age },
    for: '3m',
    keepFiringFor: '3m',
    summary: ({ query }) => `The query ${query} fails`,
    description: ({ receiver, query, value }, limit) =>
      `${query} of ${receiver} has not succeeded for ${value} of its intervals (limit ${limit}). Dashboards and alerts that use its data are stale or empty.`,
    whenMissing: `${withoutPoller} Without a leader no query runs, which raises PollerWithoutLeader. A query that is off is not late: QueryOff reports it.`,
    panel: { dashboard: 'siphon-sidecar', title: 'Polls without a success' },
  }),
  alert({
    name: 'QueryOff',
    owner: 'sidecar',
    measured: compare(min(latest('siphon_db_poller_query_enabled'), ['receiver', 'query']), '==', 0),
    guard: compare(leaders(), '>=', 1),
    raisedBy: { severity: 'warning' },
    for: '5m',
    keepFiringFor: '3m',
    summary: ({ query }) => `The query ${query} is off`,
    description: ({ receiver, query }) =>
      `The database of ${receiver} lacks a table, a column or a right that ${query} needs. Dashboards and alerts that use its data are empty.`,
    whenMissing: `${withoutPoller} A pack is not in use if the database has none of its tables; then its queries have no series.`,
    panel: { dashboard: 'siphon-sidecar', title: 'Queries that lack columns' },
  }),
  alert({
    name: 'PollerLagging',
    owner: 'sidecar',
    measured: max(latest('siphon_db_poller_horizon_lag_seconds'), ['receiver']),
    raisedBy: { threshold: thresholds.poller_lag },
    level: { warning: 'info' },
    for: '1m',
    // Shorter than that of the alerts on transactions, which inhibit it.
    keepFiringFor: '2m',
    summary: () => 'Counting of rows lags behind',
    description: ({ receiver, value }, limit) =>
      `${receiver} waits for a write transaction that is ${value} old before it counts later rows (limit ${limit}).`,
    whenMissing: withoutPoller,
    panel: { dashboard: 'siphon-sidecar', title: 'Lag of counting' },
  }),
  alert({
    name: 'PollerBacklog',
    owner: 'sidecar',
    measured: max(latest('siphon_db_poller_backlog_rows'), ['receiver', 'query']),
    raisedBy: { threshold: thresholds.poller_backlog },
    level: { warning: 'info' },
    for: '10m',
    keepFiringFor: '10m',
    summary: ({ query }) => `Counting of ${query} falls behind`,
    description: ({ receiver, query, value }, limit) =>
      `${value} rows wait to be counted by ${query} of ${receiver} (limit ${limit}).`,
    whenMissing: withoutPoller,
    panel: { dashboard: 'siphon-sidecar', title: 'Backlog of counting' },
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
    panel: { dashboard: 'siphon-sidecar', title: 'Sidecars that poll' },
  }),
];

import { count, max, min, sum } from '../../../dashboards/promql/aggregate.ts';
import { compare, or } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { increase, latest } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';
import { heldByPoller } from './when-missing.ts';

/** A subscription that fails tries again every five seconds, and runs for a moment each time. */
const MANY_ERRORS = 10;
const bySubscription = ['instance', 'subscription'] as const;

const errors = sum(increase('database_subscription_errors_total', '15m'), bySubscription);
const failsOften = compare(errors, '>=', MANY_ERRORS);

/** Alerts on copies of the data that fall behind. */
export const replicationAlerts: readonly Alert[] = [
  alert({
    name: 'StandbyLag',
    owner: 'database',
    measured: max(latest('database_replication_lag_seconds'), ['instance', 'standby']),
    raisedBy: { threshold: thresholds.standby_lag },
    level: { warning: 'info' },
    for: '5m',
    keepFiringFor: '5m',
    summary: ({ standby }) => `The standby ${standby} falls behind`,
    description: ({ instance, standby, value }, limit) =>
      `${standby} replays changes ${value} after they were written, according to ${instance} (limit ${limit}). Readers of it see old data, and a failover to it waits or loses data.`,
    whenMissing: `${heldByPoller} It is also silent for a standby that is not connected: SlotUnused reports its slot. Only the twenty standbys that are furthest behind have series.`,
    panel: { dashboard: 'siphon-database', title: 'Lag of standbys' },
  }),
  alert({
    name: 'ReplayLag',
    owner: 'database',
    measured: max(latest('database_replay_lag_seconds'), ['instance']),
    raisedBy: { threshold: thresholds.standby_lag },
    level: { warning: 'info' },
    for: '5m',
    keepFiringFor: '5m',
    summary: () => 'The polled standby falls behind',
    description: ({ instance, value }, limit) =>
      `The last change that this standby replayed is ${value} old, according to ${instance} (limit ${limit}). Its readers, and siphon, see old data.`,
    whenMissing: `${heldByPoller} It is also silent on a primary.`,
    panel: { dashboard: 'siphon-database', title: 'Lag of this standby' },
  }),
  alert({
    name: 'SubscriptionFails',
    owner: 'database',
    measured: or(
      compare(min(latest('database_subscription_running'), bySubscription), '<', 1),
      count(failsOften, bySubscription, '{subscription}'),
    ),
    raisedBy: { severity: 'warning' },
    for: '10m',
    keepFiringFor: '10m',
    summary: ({ subscription }) => `The subscription ${subscription} does not receive changes`,
    description: ({ instance, subscription }) =>
      `${subscription} has not run, or has failed again and again, for ten minutes, according to ${instance}. The publisher keeps its write-ahead log for it.`,
    whenMissing: `${heldByPoller} It is also silent for a subscription that is disabled, also if disable_on_error did it. Before PostgreSQL 15 errors are not counted.`,
    panel: { dashboard: 'siphon-database', title: 'Subscriptions' },
  }),
];

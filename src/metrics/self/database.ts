/** The metrics of the receivers that poll a database. */
import type { BudgetedLabel } from '../metric.ts';
import {
  pollerDropReasons,
  pollFailures,
  rebaselineReasons,
  replacedReasons,
  rowDropReasons,
  transientPollFailures,
} from '../reasons.ts';
import { receiver, sidecarMetrics } from './sidecar-metric.ts';

/** Seconds of a query and of a connection attempt: the limits of both alerts are bounds, and one bound shows a fast query. */
const pollSeconds = [0.025, 0.1, 1] as const;

const state = ['idle', 'used', 'waiting'] as const;
const fromConfiguration = true;
const query: BudgetedLabel = { maxValues: 40, description: 'pack and name of the query', fromConfiguration };
const userQuery: BudgetedLabel = { maxValues: 40, description: 'name of the query', fromConfiguration };
const label: BudgetedLabel = { maxValues: 10, description: 'name of the label', fromConfiguration };

export const dbPollerMetrics = sidecarMetrics({
  siphon_db_poller_errors: {
    kind: 'counter',
    unit: '{poll}',
    description: 'Polls that failed and published no points',
    labels: { receiver, query, reason: pollFailures },
    startsAtZero: { reason: transientPollFailures },
  },
  siphon_db_poller_query_duration_seconds: {
    kind: 'histogram',
    unit: 's',
    description: 'Time from BEGIN to the last row of a query that succeeded',
    labels: { receiver, query },
    buckets: pollSeconds,
  },
  siphon_db_poller_connect_duration_seconds: {
    kind: 'histogram',
    unit: 's',
    description: 'Time to open a connection to the database',
    labels: { receiver },
    buckets: pollSeconds,
  },
  siphon_db_poller_success_age_seconds: {
    kind: 'gauge',
    unit: 's',
    description:
      'Time since the query last succeeded, or since its first failure if it never has; absent while it is off',
    labels: { receiver, query },
  },
  siphon_db_poller_query_interval_seconds: {
    kind: 'gauge',
    unit: 's/{poll}',
    description: 'Interval at which the query runs',
    labels: { receiver, query },
  },
  siphon_db_poller_rows: {
    kind: 'gauge',
    unit: '{row}',
    description: 'Rows of the latest successful poll',
    labels: { receiver, query },
  },
  siphon_db_poller_query_enabled: {
    kind: 'gauge',
    unit: '{query}',
    description: '1 if the schema has what the query needs, otherwise 0',
    labels: { receiver, query },
  },
  siphon_db_poller_query_missing_columns: {
    kind: 'gauge',
    unit: '{column}',
    description: 'Columns that the query reads and the schema lacks; the query is off, or it reports less',
    labels: { receiver, query },
  },
  siphon_db_poller_dropped_points: {
    kind: 'counter',
    unit: '{point}',
    description: 'Points that were not published because their value is not valid',
    labels: { receiver, query, reason: pollerDropReasons },
    // The other two concern every poll.
    startsAtZero: { reason: ['not_a_number'] },
  },
  siphon_db_poller_replaced_label_values: {
    kind: 'counter',
    unit: '{value}',
    description: 'Label values that were published as other or unknown',
    labels: { receiver, query, label, reason: replacedReasons },
  },
  siphon_db_poller_backlog_rows: {
    kind: 'gauge',
    unit: '{row}',
    description: 'Settled rows that are not counted yet',
    labels: { receiver, query },
  },
  siphon_db_poller_horizon_lag_seconds: {
    kind: 'gauge',
    unit: 's',
    description: 'Age of the oldest open transaction that counting waits for, or 0',
    labels: { receiver },
  },
  siphon_db_poller_uncounted_inserts: {
    kind: 'gauge',
    unit: '{row}',
    description:
      'Inserts in PostgreSQL\u2019s statistics that were not counted: rolled back, deleted early or not settled; absent while the statistics are behind',
    labels: { receiver, query },
  },
  siphon_db_poller_counting_since_timestamp_seconds: {
    kind: 'gauge',
    unit: 's',
    description: 'Start of counting, in Unix time; a standby sidecar reports it once it can take over',
    labels: { receiver, query },
  },
  siphon_db_poller_rebaselines: {
    kind: 'counter',
    unit: '{rebaseline}',
    description: 'Times that counting started again from a new baseline',
    labels: { receiver, query, reason: rebaselineReasons },
    startsAtZero: { reason: rebaselineReasons },
  },
  siphon_db_poller_leader: {
    kind: 'gauge',
    unit: '{sidecar}',
    description: '1 if this sidecar polls the database, 0 if it is on standby',
    labels: { receiver },
  },
  siphon_db_poller_pool_connections: {
    kind: 'gauge',
    unit: '{connection}',
    description: 'Idle and used connections of the poller, and queries that wait for a connection',
    labels: { receiver, state },
  },
});

export const sqlqueryMetrics = sidecarMetrics({
  siphon_sqlquery_errors: {
    kind: 'counter',
    unit: '{poll}',
    description: 'Polls that failed and published nothing',
    labels: { receiver, query: userQuery, reason: pollFailures },
    startsAtZero: { reason: transientPollFailures },
  },
  siphon_sqlquery_query_duration_seconds: {
    kind: 'histogram',
    unit: 's',
    description: 'Time from BEGIN to the last row of a query that succeeded',
    labels: { receiver, query: userQuery },
    buckets: pollSeconds,
  },
  siphon_sqlquery_connect_duration_seconds: {
    kind: 'histogram',
    unit: 's',
    description: 'Time to open a connection to the database',
    labels: { receiver },
    buckets: pollSeconds,
  },
  siphon_sqlquery_success_age_seconds: {
    kind: 'gauge',
    unit: 's',
    description:
      'Time since the query last succeeded, or since its first failure if it never has; absent while it is off',
    labels: { receiver, query: userQuery },
  },
  siphon_sqlquery_query_interval_seconds: {
    kind: 'gauge',
    unit: 's/{poll}',
    description: 'Interval at which the query runs',
    labels: { receiver, query: userQuery },
  },
  siphon_sqlquery_rows: {
    kind: 'gauge',
    unit: '{row}',
    description: 'Rows of the latest successful poll',
    labels: { receiver, query: userQuery },
  },
  siphon_sqlquery_pool_connections: {
    kind: 'gauge',
    unit: '{connection}',
    description: 'Idle and used connections of the receiver, and queries that wait for a connection',
    labels: { receiver, state },
  },
  siphon_sqlquery_dropped_points: {
    kind: 'counter',
    unit: '{point}',
    description: 'Rows that did not become a point',
    labels: { receiver, query: userQuery, reason: rowDropReasons },
    startsAtZero: { reason: rowDropReasons },
  },
  siphon_sqlquery_dropped_log_records: {
    kind: 'counter',
    unit: '{record}',
    description: 'Rows that did not become a log record',
    labels: { receiver, query: userQuery, reason: rowDropReasons },
    startsAtZero: { reason: rowDropReasons },
  },
});

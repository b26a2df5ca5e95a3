import {
  bars,
  events,
  healthyWhenEmpty,
  lines,
  type Row,
  show,
  stat,
  unknownWhenEmpty,
} from '../../../dashboards/model/panel.ts';
import { step } from '../../../dashboards/model/variables.ts';
import { count, max, min, sum } from '../../../dashboards/promql/aggregate.ts';
import { compare, happened } from '../../../dashboards/promql/arithmetic.ts';
import { leaders, pollAge } from './expressions.ts';
import { increase, latest, mean, quantile } from './promql.ts';
import { thresholds } from '../thresholds.ts';

const notScraped = unknownWhenEmpty('the sidecar\u2019s own page is not scraped, or it has no poller');

/** Whether what the other rows show is fresh and whole. */
export const poller: Row = {
  title: 'The poller itself',
  panels: [
    bars({
      title: 'Since the last success',
      description: 'How long ago each query last succeeded. What it feeds is as old as that, or gone.',
      queries: [show(pollAge(['query']), ({ query }) => query)],
      thresholds: thresholds.poll_age,
      min: 0,
      empty: notScraped,
      width: 6,
      height: 9,
    }),
    events({
      title: 'Failed polls',
      description:
        'Polls that gave nothing, by reason. timeout: the query is too dear; permission: the role lacks a grant; connection: the server is away.',
      queries: [show(sum(increase('siphon_db_poller_errors', step), ['reason']), ({ reason }) => reason)],
      empty: notScraped,
      width: 6,
      height: 9,
    }),
    lines({
      title: 'Duration of a poll',
      description: 'From BEGIN to the last row, the mean by query. Every one is meant to take less than 100 ms.',
      queries: [
        show(
          mean({ name: 'siphon_db_poller_query_duration_seconds', window: step, by: ['query'] }),
          ({ query }) => query,
        ),
      ],
      thresholds: thresholds.poll_duration,
      min: 0,
      empty: notScraped,
      width: 6,
      height: 9,
    }),
    bars({
      title: 'Rows of the latest poll',
      description: 'By query. A number that grows without end will run into the limit of rows.',
      queries: [show(max(latest('siphon_db_poller_rows'), ['query']), ({ query }) => query)],
      min: 0,
      empty: notScraped,
      width: 6,
      height: 9,
    }),
    lines({
      title: 'Lag of counting',
      description: 'Age of the oldest transaction that writes: rows after it are counted when it is over. 0 is no lag.',
      queries: [show(max(latest('siphon_db_poller_horizon_lag_seconds'), ['receiver']), ({ receiver }) => receiver)],
      thresholds: thresholds.poller_lag,
      min: 0,
      empty: notScraped,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Backlog of counting',
      description: 'Rows that are settled and wait for their batch. A burst drains within a few polls.',
      queries: [show(max(latest('siphon_db_poller_backlog_rows'), ['query']), ({ query }) => query)],
      thresholds: thresholds.poller_backlog,
      min: 0,
      empty: notScraped,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Inserts that were not counted',
      description:
        'Inserts that PostgreSQL has seen and the poller has not: rolled back, deleted early, not settled. Below 0 something was counted twice.',
      queries: [show(sum(latest('siphon_db_poller_uncounted_inserts'), ['query']), ({ query }) => query)],
      empty: unknownWhenEmpty('not compared yet: the first time is an hour after the start'),
      width: 6,
      height: 7,
    }),
    stat({
      title: 'Sidecars that poll',
      description: 'Of those that are scraped: one polls each database, the others stand by.',
      queries: [show(leaders(), ({ receiver }) => receiver)],
      thresholds: thresholds.poller_leader,
      empty: notScraped,
      width: 3,
      height: 7,
    }),
    stat({
      title: 'Queries that lack columns',
      description:
        'Those that lack what they need are off, others tell less. A table or column is not there, or the role may not read it: the log names it.',
      queries: [
        show(
          count(compare(min(latest('siphon_db_poller_query_enabled'), ['query']), '==', 0), [], '{query}'),
          'switched off',
        ),
        show(
          count(compare(max(latest('siphon_db_poller_query_missing_columns'), ['query']), '>', 0), [], '{query}'),
          'lack columns',
        ),
      ],
      empty: healthyWhenEmpty('none'),
      width: 3,
      height: 7,
    }),
    lines({
      title: 'Time to connect (p95)',
      description: 'To open a connection to the database.',
      queries: [
        show(
          quantile(0.95, { name: 'siphon_db_poller_connect_duration_seconds', window: step, by: ['receiver'] }),
          ({ receiver }) => receiver,
        ),
      ],
      min: 0,
      empty: healthyWhenEmpty('no connection was opened within this time'),
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Connections of the poller',
      description: 'Its own share of the server\u2019s connections.',
      queries: [show(sum(latest('siphon_db_poller_pool_connections'), ['state']), ({ state }) => state)],
      min: 0,
      empty: notScraped,
      width: 6,
      height: 7,
    }),
    events({
      title: 'Dropped points, replaced labels',
      description:
        'Points without a true value, because a wrong number is worse than none (invalid_cron: a cadence that cannot be read), and label values published as other or unknown.',
      queries: [
        show(sum(increase('siphon_db_poller_dropped_points', step), ['reason']), ({ reason }) => `dropped: ${reason}`),
        show(
          sum(increase('siphon_db_poller_replaced_label_values', step), ['label', 'reason']),
          ({ label, reason }) => `${label}: ${reason}`,
        ),
      ],
      empty: notScraped,
      width: 6,
      height: 7,
    }),
    events({
      title: 'Counting begun anew',
      description: 'By reason, such as a restored database. Counters start at 0 again.',
      queries: [
        show(happened(sum(increase('siphon_db_poller_rebaselines', step), ['reason'])), ({ reason }) => reason),
      ],
      empty: healthyWhenEmpty('it goes on'),
      width: 6,
      height: 7,
    }),
  ],
};

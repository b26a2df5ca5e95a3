import {
  bars,
  events,
  healthyWhenEmpty,
  lines,
  type Row,
  show,
  stat,
  unknownWhenEmpty,
  unusedWhenEmpty,
} from '../../../dashboards/model/panel.ts';
import { roomAbove } from '../../../dashboards/threshold.ts';
import { step } from '../../../dashboards/model/variables.ts';
import { count, max, min, sum } from '../../../dashboards/promql/aggregate.ts';
import { compare, happened } from '../../../dashboards/promql/arithmetic.ts';
import { leaders, missedPolls, USUAL_INTERVAL_S } from './expressions.ts';
import { increase, latest, mean } from './promql.ts';
import { thresholds } from '../thresholds.ts';

const notScraped = unknownWhenEmpty('the sidecar\u2019s own metrics are not scraped, or it has no poller');

/** Shows whether the data from the database is fresh and complete. */
export const poller: Row = {
  title: 'Poller',
  panels: [
    bars({
      title: 'Polls without a success',
      description:
        'How many of its intervals have passed since each query last succeeded. The panels that use its data are as old as that, or empty.',
      queries: [show(missedPolls(['query'], USUAL_INTERVAL_S), ({ query }) => query)],
      thresholds: thresholds.poll_age,
      min: 0,
      max: roomAbove(thresholds.poll_age.critical),
      empty: notScraped,
      width: 8,
      height: 9,
    }),
    bars({
      title: 'Rows of the latest poll',
      description: 'Rows of the latest poll, by query. A number that keeps growing will reach the row limit.',
      queries: [show(max(latest('siphon_db_poller_rows'), ['query']), ({ query }) => query)],
      min: 0,
      empty: notScraped,
      width: 8,
      height: 9,
    }),
    events({
      title: 'Failed polls',
      description:
        'Polls that failed, by reason. timeout: the query is too expensive; permission: the role lacks a grant; connection: the server is not reachable.',
      queries: [show(sum(increase('siphon_db_poller_errors', step), ['reason']), ({ reason }) => reason)],
      empty: notScraped,
      width: 8,
      height: 9,
    }),
    lines({
      title: 'Duration of a poll',
      description: 'Mean time from BEGIN to the last row, by query. Every query should take less than 100 ms.',
      queries: [
        show(
          mean({ name: 'siphon_db_poller_query_duration_seconds', window: step, by: ['query'] }),
          ({ query }) => query,
        ),
      ],
      thresholds: thresholds.poll_duration,
      min: 0,
      empty: notScraped,
      width: 10,
      height: 7,
    }),
    lines({
      title: 'Lag of counting',
      description: 'Age of the oldest open write transaction. Later rows are counted when it has ended. 0: no lag.',
      queries: [show(max(latest('siphon_db_poller_horizon_lag_seconds'), ['receiver']), ({ receiver }) => receiver)],
      thresholds: thresholds.poller_lag,
      min: 0,
      empty: notScraped,
      width: 7,
      height: 7,
    }),
    lines({
      title: 'Backlog of counting',
      description: 'Settled rows that wait for their batch. A burst drains within a few polls.',
      queries: [show(max(latest('siphon_db_poller_backlog_rows'), ['query']), ({ query }) => query)],
      thresholds: thresholds.poller_backlog,
      min: 0,
      empty: notScraped,
      width: 7,
      height: 7,
    }),
    lines({
      title: 'Inserts that were not counted',
      description:
        'Inserts that PostgreSQL reports and the poller has not counted: rolled back, deleted early or not settled yet. No value: its statistics are late or were reset, or not every row counts.',
      queries: [show(sum(latest('siphon_db_poller_uncounted_inserts'), ['query']), ({ query }) => query)],
      min: 0,
      empty: unknownWhenEmpty('not compared yet: the first comparison is an hour after the start'),
      width: 6,
      height: 7,
    }),
    stat({
      title: 'Sidecars that poll',
      description: 'Scraped sidecars that poll. One sidecar polls each database; the others stand by.',
      queries: [show(leaders(), ({ receiver }) => receiver)],
      thresholds: thresholds.poller_leader,
      empty: notScraped,
      width: 3,
      height: 7,
    }),
    stat({
      title: 'Queries that lack columns',
      description:
        'Queries without a table or column that they need are switched off, or return fewer labels. The object does not exist, or the role may not read it: the log names it.',
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
      title: 'Time to connect',
      description: 'Mean time to open a connection to the database.',
      queries: [
        show(
          mean({ name: 'siphon_db_poller_connect_duration_seconds', window: step, by: ['receiver'] }),
          ({ receiver }) => receiver,
        ),
      ],
      min: 0,
      empty: unusedWhenEmpty('no connection was opened within this time'),
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Connections of the poller',
      description: 'Connections of the poller to the server, by state.',
      queries: [show(sum(latest('siphon_db_poller_pool_connections'), ['state']), ({ state }) => state)],
      min: 0,
      empty: notScraped,
      width: 6,
      height: 7,
    }),
    events({
      title: 'Dropped points, replaced labels',
      description:
        'Points that were dropped because their value would be wrong (invalid_cron: the cadence is not a valid cron expression), and label values that were published as other or unknown.',
      queries: [
        show(sum(increase('siphon_db_poller_dropped_points', step), ['reason']), ({ reason }) => `dropped: ${reason}`),
        show(
          sum(increase('siphon_db_poller_replaced_label_values', step), ['label', 'reason']),
          ({ label, reason }) => `${label}: ${reason}`,
        ),
      ],
      empty: notScraped,
      width: 12,
      height: 7,
    }),
    events({
      title: 'Counting restarted',
      description: 'Restarts of counting by reason, such as a restored database. Counters start at 0 again.',
      queries: [
        show(happened(sum(increase('siphon_db_poller_rebaselines', step), ['reason'])), ({ reason }) => reason),
      ],
      empty: healthyWhenEmpty('counting continues'),
      width: 12,
      height: 7,
    }),
  ],
};

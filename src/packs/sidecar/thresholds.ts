import type { Threshold } from '../../dashboards/threshold.ts';

const MINUTE = 60;

export const thresholds = {
  poll_age: {
    bad: 'above',
    unit: '{poll}',
    warning: 8,
    critical: 40,
    why: 'A poll that fails once often succeeds the next time; after eight in a row the data is stale',
  },
  poll_duration: {
    bad: 'above',
    unit: 's',
    warning: 0.1,
    critical: 1,
    why: 'Every query should take less than 100 ms',
  },
  poller_leader: {
    bad: 'below',
    unit: '{sidecar}',
    critical: 1,
    why: 'Without a leader the database is not polled',
  },
  poller_lag: {
    bad: 'above',
    unit: 's',
    warning: 5 * MINUTE,
    critical: 30 * MINUTE,
    why: 'Counting waits for the oldest open write transaction',
  },
  poller_backlog: {
    bad: 'above',
    unit: '{row}',
    warning: 50_000,
    critical: 500_000,
    why: 'A weekly burst of 50 thousand rows drains within a minute',
  },
  queue_fill: {
    bad: 'above',
    unit: '1',
    warning: 0.5,
    critical: 0.9,
    why: 'A queue fills up when the receiver is not reachable; a full queue drops data',
  },
  data_dropped: { bad: 'above', unit: '{item}', warning: 1, critical: 1000, why: 'Dropped data cannot be recovered' },
  series_limit: {
    bad: 'above',
    unit: '{point}',
    warning: 1,
    why: 'Panels and alerts do not see dropped series',
  },
  target_up: { bad: 'below', unit: '{target}', critical: 1, why: 'Without scrapes there is no data' },
  scrape_duration: {
    bad: 'above',
    unit: 's',
    warning: 1,
    critical: 5,
    why: 'A scrape of ten thousand series takes 10 ms; Prometheus aborts scrapes after ten seconds by default',
  },
} as const satisfies Record<string, Threshold>;

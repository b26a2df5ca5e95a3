import type { Threshold } from '../../dashboards/threshold.ts';

const MINUTE = 60;

export const thresholds = {
  poll_age: {
    bad: 'above',
    unit: 's',
    warning: 2 * MINUTE,
    critical: 10 * MINUTE,
    why: 'Queries run every 15 seconds by default; eight in a row have failed',
  },
  poll_duration: {
    bad: 'above',
    unit: 's',
    warning: 0.1,
    critical: 1,
    why: 'Every query is meant to take less than 100 ms of the database',
  },
  poller_leader: {
    bad: 'below',
    unit: '{sidecar}',
    critical: 1,
    why: 'Without a leader nobody asks the database',
  },
  poller_lag: {
    bad: 'above',
    unit: 's',
    warning: 5 * MINUTE,
    critical: 30 * MINUTE,
    why: 'Counting waits for the oldest transaction that writes',
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
    why: 'A queue that fills is a receiver that is away; full, it drops',
  },
  data_dropped: { bad: 'above', unit: '{item}', warning: 1, critical: 1000, why: 'What is dropped is gone' },
  series_limit: {
    bad: 'above',
    unit: '{point}',
    warning: 1,
    why: 'A series that is not on the page is on no panel and in no alert',
  },
  target_up: { bad: 'below', unit: '{target}', critical: 1, why: 'A page that does not answer shows nothing' },
  scrape_duration: {
    bad: 'above',
    unit: 's',
    warning: 1,
    critical: 5,
    why: 'A page of ten thousand series takes 10 ms; Prometheus gives up after ten seconds by default',
  },
} as const satisfies Record<string, Threshold>;

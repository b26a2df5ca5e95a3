/**
 * From where on a number is worth a look (`warning`) or a person (`critical`). Panels are coloured and alerts are raised
 * by the same entry; `why` says where its numbers come from.
 */
export interface Threshold {
  /** Which side of the numbers is bad. */
  readonly bad: 'above' | 'below';
  /** UCUM, as the unit of what is compared. */
  readonly unit: string;
  readonly warning?: number;
  readonly critical?: number;
  readonly why: string;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const thresholds = {
  health_score: {
    bad: 'below',
    unit: '{score}',
    warning: 60,
    critical: 30,
    why: 'Below 30 the pipeline is broken; at 60 a component as heavy as freshness is gone',
  },
  health_input: {
    bad: 'below',
    unit: '%',
    warning: 95,
    critical: 80,
    why: 'A success rate below 80 % is an incident',
  },
  run_success: {
    bad: 'below',
    unit: '1',
    warning: 0.95,
    critical: 0.8,
    why: 'A success rate below 80 % is an incident',
  },
  overdue_price: {
    bad: 'above',
    unit: 's',
    warning: 6 * HOUR,
    critical: DAY,
    why: 'Price runs are weekly: a run that is late by hours may still be going, one late by a day was missed',
  },
  overdue_full: {
    bad: 'above',
    unit: 's',
    warning: DAY,
    critical: 3 * DAY,
    why: 'Full runs are monthly and take longer: one late by three days was missed',
  },
  run_age: {
    bad: 'above',
    unit: 's',
    warning: HOUR,
    critical: 6 * HOUR,
    why: 'The slowest run over the largest catalogue ends within the hour',
  },
  fetch_error_rate: {
    bad: 'above',
    unit: '1',
    warning: 0.05,
    critical: 0.2,
    why: 'More than 5 % of failing requests in a run is a store in trouble, 20 % a store that blocks',
  },
  fetch_p95: {
    bad: 'above',
    unit: 's',
    warning: 30,
    critical: 60,
    why: 'A store that needs a minute runs into timeouts',
  },
  artifact_error_rate: {
    bad: 'above',
    unit: '1',
    warning: 0.03,
    critical: 0.2,
    why: 'More than 3 % of a run without a usable answer is not chance',
  },
  validation_errors: {
    bad: 'above',
    unit: '{error}',
    warning: 10,
    critical: 100,
    why: 'One problem sends a product to review; ten in a run are a field that moved, a hundred a feed of another form',
  },
  review_rate: {
    bad: 'above',
    unit: '%',
    warning: 5,
    critical: 20,
    why: 'More than 5 % of the coffees in review is more than a person looks at; 20 % is a broken rule or feed',
  },
  price_spikes: {
    bad: 'above',
    unit: '{alert}',
    warning: 1,
    critical: 10,
    why: 'A single price beyond the roaster\u2019s own limit deserves a look; ten at once are a broken feed',
  },
  wild_changes: {
    bad: 'above',
    unit: '1',
    warning: 0.05,
    critical: 0.25,
    why: 'Real prices seldom change by more than a half',
  },
  price_job_failure_rate: {
    bad: 'above',
    unit: '1',
    warning: 0.1,
    critical: 0.5,
    why: 'More than 10 % of the price jobs failing is more than one store having a bad day',
  },
  rpc_error_rate: {
    bad: 'above',
    unit: '1',
    warning: 0.01,
    critical: 0.1,
    why: 'Writes do not fail by themselves; at 10 % the catalogue falls behind',
  },
  rate_limits: {
    bad: 'above',
    unit: '{error}',
    warning: 5,
    critical: 50,
    why: 'More than five requests to slow down within ten minutes mean that the pace is wrong',
  },
  stale_prices: {
    bad: 'above',
    unit: '{variant}',
    warning: 1,
    critical: 500,
    why: 'No price may go unchecked for longer than the cadence allows',
  },
  connections_used: {
    bad: 'above',
    unit: '1',
    warning: 0.75,
    critical: 0.9,
    why: 'Above 90 % the next deployment or job finds no connection',
  },
  pool_pending: {
    bad: 'above',
    unit: '{request}',
    warning: 1,
    critical: 10,
    why: 'Requests that wait for a connection are time that the pipeline loses',
  },
  longest_transaction: {
    bad: 'above',
    unit: 's',
    warning: 5 * MINUTE,
    critical: 30 * MINUTE,
    why: 'A transaction holds back vacuum and exact counting for as long as it lasts',
  },
  freeze_age: {
    bad: 'above',
    unit: '{transaction}',
    warning: 500_000_000,
    critical: 1_500_000_000,
    why: 'Autovacuum freezes at 200 million by default, so 500 million say that it does not keep up; writes stop at 2^31',
  },
  xmin_age: {
    bad: 'above',
    unit: '{transaction}',
    warning: 1_000_000,
    critical: 50_000_000,
    why: 'Old rows pile up behind the oldest snapshot',
  },
  dead_rows: {
    bad: 'above',
    unit: '1',
    warning: 0.2,
    critical: 0.5,
    why: 'Autovacuum starts at 20 % of dead rows by default; half of them dead means that it cannot finish',
  },
  cache_hits: {
    bad: 'below',
    unit: '1',
    warning: 0.95,
    critical: 0.8,
    why: 'A working set that fits has 99 %; below 80 % most queries wait for storage',
  },
  locks_waiting: { bad: 'above', unit: '{lock}', warning: 1, critical: 10, why: 'Waiting sessions are stopped work' },
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
  memory_share: {
    bad: 'above',
    unit: '{fraction}',
    warning: 0.8,
    critical: 0.9,
    why: 'Above 80 % the container is ended before long',
  },
  event_loop_share: {
    bad: 'above',
    unit: '{fraction}',
    warning: 0.8,
    critical: 0.95,
    why: 'A loop that is busy all the time answers nobody',
  },
  event_loop_delay: {
    bad: 'above',
    unit: 's',
    warning: 0.1,
    critical: 1,
    why: 'A tenth of a second is felt by every request',
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

export type ThresholdName = keyof typeof thresholds;

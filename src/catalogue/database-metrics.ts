/** What the sidecar reads from the database. Keys are the Prometheus names. */
import { platforms, roaster, runStatuses } from './labels.ts';
import type { Metric } from './metric.ts';

const byRoaster = { roaster, platform: platforms } as const;

/** The pack `scrape_pipeline`. */
export const scrapePipelineMetrics = {
  scrape_runs_running: {
    source: 'poller',
    kind: 'gauge',
    name: 'scrape.runs.running',
    unit: '{run}',
    description: 'Runs that have started and not finished',
    labels: byRoaster,
  },
  scrape_run_oldest_running_seconds: {
    source: 'poller',
    kind: 'gauge',
    name: 'scrape.run.oldest_running',
    unit: 's',
    description: 'Age of the oldest run that has not finished; absent when none runs',
    labels: byRoaster,
  },
  scrape_last_run_timestamp_seconds: {
    source: 'poller',
    kind: 'gauge',
    name: 'scrape.last_run.timestamp',
    unit: 's',
    description: 'When the latest run with this status finished, in Unix time; the latest is the one that started last',
    labels: { ...byRoaster, status: runStatuses },
  },
  scrape_overdue_seconds: {
    source: 'poller',
    kind: 'gauge',
    name: 'scrape.overdue',
    unit: 's',
    description: 'Time since a run was due by the roaster\u2019s own cadence and did not succeed; 0 when none is due',
    labels: { ...byRoaster, cadence: ['full', 'price'] },
  },
  roasters: {
    source: 'poller',
    kind: 'gauge',
    name: 'roasters',
    unit: '{roaster}',
    description: 'Roasters known',
    labels: { platform: platforms, is_active: ['true', 'false'] },
  },
  coffees: {
    source: 'poller',
    kind: 'gauge',
    name: 'coffees',
    unit: '{coffee}',
    description: 'Coffees in the catalogue',
    labels: {
      ...byRoaster,
      status: ['active', 'seasonal', 'discontinued', 'draft', 'hidden', 'coming_soon', 'archived'],
      processing_status: ['ok', 'review', 'error', 'unknown'],
    },
  },
  review_rate_percent: {
    source: 'poller',
    kind: 'gauge',
    name: 'review.rate',
    unit: '%',
    description: 'Share of coffees that wait for review, of those with a processing status; absent when there are none',
    labels: byRoaster,
  },
  variants: {
    source: 'poller',
    kind: 'gauge',
    name: 'variants',
    unit: '{variant}',
    description: 'Variants in the catalogue',
    labels: { ...byRoaster, in_stock: ['true', 'false'], status: ['active', 'archived', 'missing', 'review'] },
  },
  variants_price_stale: {
    source: 'poller',
    kind: 'gauge',
    name: 'variants.price_stale',
    unit: '{variant}',
    description:
      'Active variants whose price was not checked within the time that the pack\u2019s configuration allows',
    labels: byRoaster,
  },
  pipeline_health_score: {
    source: 'poller',
    kind: 'gauge',
    name: 'pipeline.health.score',
    unit: '{score}',
    description: '0 (broken) to 100 (well), by component and as their weighted total; absent while unknown',
    labels: { component: ['runs', 'freshness', 'review', 'stock', 'total'] },
  },
  pipeline_health_input_percent: {
    source: 'poller',
    kind: 'gauge',
    name: 'pipeline.health.input',
    unit: '%',
    description: 'What a component of the health score is computed from; absent while unknown',
    labels: { component: ['runs', 'freshness', 'review', 'stock'] },
  },
} as const satisfies Record<string, Metric>;

/** The pack `postgres_health`. */
export const postgresHealthMetrics = {
  database_connections_active: {
    source: 'poller',
    kind: 'gauge',
    name: 'database.connections.active',
    unit: '{connection}',
    description: 'Connections to the polled database that run a statement right now',
    labels: {},
  },
} as const satisfies Record<string, Metric>;

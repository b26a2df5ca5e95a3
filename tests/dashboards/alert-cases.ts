/** For each alert the series of a world in which what it measures has a given value. */
import type { Alert } from '../../src/dashboards/rules/alert.ts';
import { shipped } from '../support/dashboards/shipped.ts';
import {
  always,
  born,
  bornRows,
  counted,
  END,
  grown,
  processes,
  series,
  uptime,
} from '../support/prometheus/input-series.ts';
import { a, fetchOfA, onSidecar, poller, service, sidecar, type AlertCase, type AlertWorld } from './alert-worlds.ts';
import { databaseWorlds } from './database-worlds.ts';
import { serviceWorlds } from './service-worlds.ts';

const worlds: Readonly<Record<string, AlertWorld>> = {
  ...databaseWorlds,
  PriceRunOverdue: {
    labels: { roaster: 'a' },
    world: (value) => [always('scrape_overdue_seconds', { ...a, cadence: 'price', ...poller }, value)],
  },
  PriceRunsStopped: {
    labels: { instance: 'db_poller' },
    // The value is the share of eight roasters that are a day late.
    world: (value) =>
      Array.from({ length: 8 }, (_, index) =>
        always(
          'scrape_overdue_seconds',
          { ...a, roaster: `r${index}`, cadence: 'price', ...poller },
          index < 8 * value ? 86_400 : 86_399,
        ),
      ),
    values: { critical: 0.5, fine: 0.375 },
  },
  FullRunOverdue: {
    labels: { roaster: 'a' },
    world: (value) => [always('scrape_overdue_seconds', { ...a, cadence: 'full', ...poller }, value)],
  },
  RunFailed: {
    labels: { roaster: 'a' },
    // The value is when a run failed; another succeeded at 100 s.
    world: (value) => [
      always('scrape_last_run_timestamp_seconds', { ...a, status: 'fail', ...poller }, value),
      always('scrape_last_run_timestamp_seconds', { ...a, status: 'partial', ...poller }, 100),
    ],
    values: { warning: 101, fine: 99 },
  },
  RunIncomplete: {
    labels: { roaster: 'a', cadence: 'price' },
    world: (value) => [
      always('scrape_due_since_ok', { ...a, cadence: 'price', ...poller }, value),
      always('scrape_overdue_seconds', { ...a, cadence: 'price', ...poller }, 0),
      // A run that is missing is PriceRunOverdue.
      always('scrape_due_since_ok', { ...a, cadence: 'full', ...poller }, 10),
      always('scrape_overdue_seconds', { ...a, cadence: 'full', ...poller }, 1),
    ],
  },
  CadenceInvalid: {
    labels: { roaster: 'a', cadence: 'price' },
    world: (value) =>
      value === 0 ? [] : [always('scrape_cadence_invalid', { ...a, cadence: 'price', ...poller }, value)],
    values: { warning: 1, fine: 0 },
  },
  RunStuck: {
    labels: { roaster: 'a' },
    world: (value) => [always('scrape_run_oldest_running_seconds', { ...a, ...poller }, value)],
  },
  RunSuccessLow: {
    labels: { instance: 'db_poller' },
    world: (value) => [
      grown('scrape_runs_finished_total', { ...a, status: 'ok', ...poller }, 32 * value),
      grown('scrape_runs_finished_total', { ...a, status: 'fail', ...poller }, 16 * (1 - value)),
      grown('scrape_runs_finished_total', { ...a, roaster: 'b', status: 'partial', ...poller }, 16 * (1 - value)),
    ],
    values: { warning: 0.9375, critical: 0.75, fine: 0.96875 },
    isState: false,
  },
  HealthScoreLow: {
    labels: { instance: 'db_poller' },
    world: (value) => [always('pipeline_health_score', { component: 'total', ...poller }, value)],
    values: { warning: 59.5, critical: 29.5, fine: 60 },
  },
  HealthScoreUnknown: {
    labels: { instance: 'db_poller' },
    // The score of another database is known.
    world: (value) => [
      always('pipeline_health_unknown_components', poller, value),
      always('pipeline_health_unknown_components', { ...poller, instance: 'db_poller/orders' }, 0),
      always('pipeline_health_score', { component: 'total', ...poller, instance: 'db_poller/orders' }, 100),
    ],
    values: { warning: 1, fine: 0 },
  },
  FetchErrors: {
    labels: { roaster: 'a', source: 'a' },
    // Half of the requests got a response.
    world: (value) => [
      ...processes(service),
      born('fetch_latency_seconds_count', fetchOfA, 100 - 50 * value),
      born('fetch_errors_total', { ...fetchOfA, error_type: 'http_5xx' }, 50 * value),
      born('fetch_errors_total', { ...fetchOfA, error_type: 'connection' }, 50 * value),
    ],
    isState: false,
  },
  FetchSlow: {
    labels: { roaster: 'a', source: 'a' },
    // Ten requests, all within one bucket, so that the 95th percentile is at 95 % of it.
    world: (value) => [
      ...processes(service),
      born('fetch_latency_seconds_bucket', { ...fetchOfA, le: '5.0' }, 0),
      born('fetch_latency_seconds_bucket', { ...fetchOfA, le: '30.0' }, value < 30 ? 10 : 0),
      born('fetch_latency_seconds_bucket', { ...fetchOfA, le: '60.0' }, value < 60 ? 10 : 0),
      born('fetch_latency_seconds_bucket', { ...fetchOfA, le: '120.0' }, 10),
      born('fetch_latency_seconds_bucket', { ...fetchOfA, le: '+Inf' }, 10),
      born('fetch_latency_seconds_count', fetchOfA, 10),
    ],
    values: { warning: 31, critical: 61, fine: 29 },
    isState: false,
  },
  FetchSlowed: {
    labels: { roaster: 'a', source: 'a' },
    // Earlier, ten requests took half a second each.
    world: (value) => [
      ...processes(service),
      counted('fetch_latency_seconds_sum', fetchOfA, 5),
      counted('fetch_latency_seconds_count', fetchOfA, 10),
      born('fetch_latency_seconds_sum', fetchOfA, 5 * value),
      born('fetch_latency_seconds_count', fetchOfA, 10),
    ],
    isState: false,
  },
  ArtifactErrors: {
    labels: { roaster: 'a' },
    world: (value) => [
      bornRows('scrape_artifacts_recorded_total', { ...a, http_status: '200', ...poller }, 100 - 100 * value),
      bornRows('scrape_artifacts_recorded_total', { ...a, http_status: '404', ...poller }, 100 * value),
    ],
    isState: false,
  },
  ValidationErrors: {
    labels: { roaster: 'a', source: 'a' },
    // Another job has validated only two of the products.
    world: (value) => [
      born('validation_products', { ...fetchOfA, outcome: 'invalid' }, 256 * value),
      born('validation_products', { ...fetchOfA, outcome: 'valid' }, 256 - 256 * value),
      born('validation_products', { ...fetchOfA, outcome: 'invalid', instance: 'of few' }, 2),
      born('validation_products', { ...fetchOfA, outcome: 'valid', instance: 'of few' }, 0),
    ],
    values: { warning: 0.0625, critical: 0.25, fine: 0.03125 },
    isState: false,
  },
  ReviewRateHigh: {
    labels: { roaster: 'a' },
    world: (value) => [
      always('review_rate_percent', { ...a, ...poller }, value),
      always('coffees', { ...a, status: 'active', processing_status: 'review', ...poller }, 3),
    ],
  },
  PriceSpikes: {
    labels: { roaster: 'a' },
    world: (value) => [
      { series: series('variants', { ...a, in_stock: 'true', status: 'active', ...poller }), values: '256x3000' },
      ...processes(service),
      born('price_spike_alerts_total', { roaster: 'a', currency: 'INR', ...service }, 256 * value),
    ],
    values: { warning: 0.0625, critical: 0.25, fine: 0.03125 },
    isState: false,
  },
  PricesStale: {
    labels: { roaster: 'a' },
    world: (value) => [
      always('variants', { ...a, in_stock: 'true', status: 'active', ...poller }, 1024),
      always('variants_price_stale', { ...a, ...poller }, 1024 * value),
    ],
    values: { warning: 0.25, critical: 0.8125, fine: 0.1875 },
  },
  CatalogueShrunk: {
    labels: { roaster: 'a' },
    world: (value) => [
      always('variants', { ...a, in_stock: 'false', status: 'active', ...poller }, 10),
      always('scrape_last_run_seen_ratio', { ...a, ...poller }, value),
    ],
    values: { warning: 0.69, critical: 0.09, fine: 0.7 },
  },
  StockGone: {
    labels: { roaster: 'a' },
    // An hour ago, when another sidecar polled, all were in stock.
    world: (value) => [
      {
        series: series('variants', { ...a, in_stock: 'true', status: 'active', ...poller, instance: 'former' }),
        values: `1024x60 stale`,
      },
      always('variants', { ...a, in_stock: 'true', status: 'active', ...poller }, 1024 * value),
      always('variants', { ...a, in_stock: 'false', status: 'active', ...poller }, 1024 - 1024 * value),
    ],
    values: { warning: 0.03125, fine: 0.0625 },
  },
  WildPrices: {
    labels: { roaster: 'a' },
    // Half of the wild prices fell, for the first time; as many changed a little.
    world: (value) => [
      bornRows('price_deltas_total', { ...a, currency: 'INR', change_type: 'unchanged', ...poller }, 160 - 160 * value),
      bornRows('price_deltas_total', { ...a, currency: 'INR', change_type: 'decrease', ...poller }, 80 * value),
      bornRows('price_deltas_total', { ...a, currency: 'INR', change_type: 'increase', ...poller }, 80 * value),
      bornRows('price_change_ratio_bucket', { ...a, currency: 'INR', le: '0.5', ...poller }, 80 * value),
      bornRows('price_change_ratio_bucket', { ...a, currency: 'INR', le: '1.5', ...poller }, 80 * value + 10),
      bornRows('price_change_ratio_count', { ...a, currency: 'INR', ...poller }, 160 * value + 10),
    ],
    values: { warning: 0.0625, critical: 0.25, fine: 0.03125 },
    isState: false,
  },
  PriceJobsFailing: {
    labels: { job: 'scraper' },
    world: (value) => [
      ...processes(service),
      born('price_job_success_total', { roaster: 'a', ...service }, 40 * (1 - value)),
      born('price_job_failures_total', { roaster: 'a', error_type: 'fetch', ...service }, 20 * value),
      born('price_job_failures_total', { roaster: 'b', error_type: 'fetch', ...service }, 20 * value),
    ],
    values: { warning: 0.125, critical: 0.5, fine: 0.0625 },
    isState: false,
  },
  RateLimited: {
    labels: { service: 'a' },
    world: (value) => [...processes(service), born('rate_limit_errors_total', { service: 'a', ...service }, value)],
    isState: false,
  },
  ...serviceWorlds,
  DatabaseDown: {
    labels: { receiver: 'db_poller' },
    // The value is how long ago a query succeeded that runs every five minutes; failures go on.
    world: (value) => [
      {
        series: series('siphon_db_poller_errors', {
          query: 'leader_election',
          reason: 'connection',
          ...onSidecar,
        }),
        values: `0+1x${END}`,
      },
      {
        series: series('siphon_db_poller_success_age_seconds', {
          query: 'postgres_health.activity',
          ...onSidecar,
        }),
        values: `${value}x${END}`,
      },
      always('siphon_db_poller_query_interval_seconds', { query: 'postgres_health.activity', ...onSidecar }, 300),
      // A rare query does not make the database answer.
      always('siphon_db_poller_success_age_seconds', { query: 'postgres_health.bloat', ...onSidecar }, 1000),
      always('siphon_db_poller_query_interval_seconds', { query: 'postgres_health.bloat', ...onSidecar }, 3600),
      always('siphon_db_poller_leader', onSidecar, 0),
    ],
    values: { critical: 900, fine: 899 },
  },
  PollerFailing: {
    labels: { receiver: 'db_poller', query: 'postgres_health.bloat' },
    world: (value) => [
      always('siphon_db_poller_success_age_seconds', { query: 'postgres_health.bloat', ...onSidecar }, 600 * value),
      always('siphon_db_poller_query_interval_seconds', { query: 'postgres_health.bloat', ...onSidecar }, 600),
      always('siphon_db_poller_leader', onSidecar, 1),
    ],
  },
  QueryOff: {
    labels: { receiver: 'db_poller', query: 'scrape_pipeline.prices' },
    world: (value) => [
      always('siphon_db_poller_query_enabled', { query: 'scrape_pipeline.prices', ...onSidecar }, value),
      always('siphon_db_poller_query_enabled', { query: 'scrape_pipeline.coffees', ...onSidecar }, 1),
      always('siphon_db_poller_leader', onSidecar, 1),
    ],
    values: { warning: 0, fine: 1 },
  },
  PollerLagging: {
    labels: { receiver: 'db_poller' },
    world: (value) => [always('siphon_db_poller_horizon_lag_seconds', onSidecar, value)],
  },
  PollerBacklog: {
    labels: { receiver: 'db_poller', query: 'scrape_pipeline.prices' },
    world: (value) => [
      always('siphon_db_poller_backlog_rows', { query: 'scrape_pipeline.prices', ...onSidecar }, value),
    ],
  },
  PollerWithoutLeader: {
    labels: { receiver: 'db_poller' },
    world: (value) => [
      always('siphon_db_poller_leader', onSidecar, 0),
      always('siphon_db_poller_leader', { ...onSidecar, instance: 'another' }, value),
    ],
    values: { critical: 0, fine: 1 },
  },
  SidecarDown: {
    labels: { job: 'services', instance: '127.0.0.1:8000' },
    world: (value) => [always('up', { job: 'services', instance: '127.0.0.1:8000' }, value), always('up', sidecar, 1)],
    values: { critical: 0, fine: 1 },
  },
  SidecarNotScraped: {
    labels: { job: 'siphon' },
    world: (value) => [
      always('up', { job: 'services', instance: '127.0.0.1:8000' }, 0),
      ...(value === 0 ? [] : [always('up', sidecar, 0)]),
    ],
    values: { critical: 0, fine: 1 },
    withoutSeries: 'fires',
  },
  DataDropped: {
    labels: { instance: sidecar.instance, exporter: 'otlp_http', otel_signal: 'traces' },
    world: (value) => [
      uptime(sidecar),
      born(
        'siphon_dropped_items',
        { exporter: 'otlp_http', otel_signal: 'traces', reason: 'queue_full', ...sidecar },
        value,
      ),
    ],
    isState: false,
  },
  QueueFilling: {
    labels: { instance: sidecar.instance, exporter: 'sentry', data_type: 'traces' },
    world: (value) => [
      always('otelcol_exporter_queue_size', { exporter: 'sentry', data_type: 'traces', ...sidecar }, 1000 * value),
      always('otelcol_exporter_queue_capacity', { exporter: 'sentry', data_type: 'traces', ...sidecar }, 1000),
    ],
  },
  ScrapeSlow: {
    labels: sidecar,
    world: (value) => [always('scrape_duration_seconds', sidecar, value)],
  },
  SeriesLimitHit: {
    labels: { instance: sidecar.instance, exporter: 'prometheus' },
    world: (value) => [
      uptime(sidecar),
      born('siphon_prometheus_dropped_points', { exporter: 'prometheus', reason: 'max_series', ...sidecar }, value),
      born('siphon_prometheus_dropped_points', { exporter: 'prometheus', reason: 'no_value', ...sidecar }, 50),
    ],
    isState: false,
  },
  SentryExportFailing: {
    labels: { instance: sidecar.instance, exporter: 'sentry' },
    world: (value) => [
      uptime(sidecar),
      born(
        'siphon_sentry_dropped_items',
        { exporter: 'sentry', category: 'span', reason: 'network_error', ...sidecar },
        value,
      ),
      born(
        'siphon_sentry_dropped_items',
        { exporter: 'sentry', category: 'error', reason: 'duplicate', ...sidecar },
        50,
      ),
    ],
    isState: false,
  },
};

/** Alerts in the order of the rules; the watchdog has no world in which it is silent. */
export const alertCases: readonly (AlertCase & { readonly alert: Alert })[] = shipped.alerts
  .filter(({ name }) => name !== 'Watchdog')
  .map((alert) => {
    const world = worlds[alert.name];
    if (world === undefined) throw new Error(`${alert.name} has no case`);
    return { alert, isState: true, withoutSeries: 'silent', values: valuesOf(alert), ...world };
  });

/** Exactly at the limit it fires; by a hair on the good side it does not. */
function valuesOf({ raisedBy }: Alert): AlertCase['values'] {
  if (!('threshold' in raisedBy)) return { fine: Number.NaN };
  const { bad, unit, warning, critical } = raisedBy.threshold;
  const hair = unit === '1' ? 1 / 1024 : 0.5;
  const first = warning ?? critical ?? 0;
  return {
    ...(warning !== undefined && { warning }),
    ...(critical !== undefined && { critical }),
    fine: bad === 'above' ? first - hair : first + hair,
  };
}

import type { KnownMetricName } from '../known-metrics.ts';

/** Metrics that no panel shows, and why. */
export const detailMetrics: Readonly<Partial<Record<KnownMetricName, string>>> = {
  http_server_request_duration_seconds: 'for services that answer requests, which a scraping pipeline does not',
  siphon_db_poller_counting_since_timestamp_seconds:
    'tells before a takeover whether it loses anything; afterwards the totals say more',
  siphon_sentry_held_spans:
    'comes and goes with the traffic; when it is too much, `siphon_sentry_dropped_items` says so',
  otelcol_process_uptime: 'gives the variable `sidecar` its values',
  scrape_samples_scraped: '`siphon_prometheus_series` tells the same about the page that grows',
};

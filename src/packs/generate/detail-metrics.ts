import type { KnownMetricName } from '../known-metrics.ts';
import { detailMetrics as sidecarDetails } from '../sidecar/detail-metrics.ts';

/** Metrics that no panel shows, and why. */
export const detailMetrics: Readonly<Partial<Record<KnownMetricName, string>>> = {
  http_server_request_duration_seconds: 'for services that answer requests, which a scraping pipeline does not',
  ...sidecarDetails,
};

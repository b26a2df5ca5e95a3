/** `siphon-otel/packs`: the packs that siphon ships, for packs that build on their metrics. */
import { instrumentationMetrics } from '../metrics/third-party.ts';
import { postgresHealth } from './postgres-health/index.ts';
import { scrapePipeline } from './scrape-pipeline/index.ts';
import { sidecar } from './sidecar/index.ts';

export { postgresHealth, scrapePipeline, sidecar };

/** The packs that siphon ships. */
export const packs = [scrapePipeline, postgresHealth, sidecar] as const;

/** All their metrics, and those of instrumentations that their dashboards use. Keys are the Prometheus names. */
export const packMetrics = {
  ...scrapePipeline.metrics,
  ...postgresHealth.metrics,
  ...instrumentationMetrics,
  ...sidecar.metrics,
} as const;

export type MetricName = keyof typeof packMetrics;

/** Metrics of instrumentations that no panel shows, and why. */
export const instrumentationDetails: Readonly<Partial<Record<keyof typeof instrumentationMetrics, string>>> = {
  http_server_request_duration_seconds: 'for services that answer requests, which a scraping pipeline does not',
};

/** `siphon-otel/packs`: the packs that siphon ships, for packs that build on their metrics. */
import { postgresHealth } from './postgres-health/index.ts';
import { scrapePipeline } from './scrape-pipeline/index.ts';
import { service } from './service/index.ts';
import { sidecar } from './sidecar/index.ts';

export { postgresHealth, scrapePipeline, service, sidecar };

/** The packs that siphon ships. */
export const packs = [scrapePipeline, service, postgresHealth, sidecar] as const;

/** All their metrics. Keys are the Prometheus names. */
export const packMetrics = {
  ...scrapePipeline.metrics,
  ...service.metrics,
  ...postgresHealth.metrics,
  ...sidecar.metrics,
} as const;

export type MetricName = keyof typeof packMetrics;

import { postgresHealth } from '../../src/packs/postgres-health/index.ts';
import { scrapePipeline } from '../../src/packs/scrape-pipeline/index.ts';

/** The metrics that the pipeline records and the sidecar polls. Keys are the Prometheus names. */
export const coffeeMetrics = { ...scrapePipeline.metrics, ...postgresHealth.metrics } as const;

export type MetricName = keyof typeof coffeeMetrics;

import { postgresHealth, scrapePipeline } from 'siphon-otel/packs';

/** The metrics that the pipeline records and the sidecar polls. Keys are the Prometheus names. */
export const coffeeMetrics = { ...scrapePipeline.metrics, ...postgresHealth.metrics } as const;

export type MetricName = keyof typeof coffeeMetrics;

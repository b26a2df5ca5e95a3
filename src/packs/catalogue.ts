import { postgresHealthMetrics } from './postgres-health/metrics.ts';
import { scrapePipelineMetrics } from './scrape-pipeline/database-metrics.ts';
import type { Metric } from '../metrics/metric.ts';
import { pipelineMetrics } from './scrape-pipeline/pipeline-metrics.ts';

/** Every metric that siphon adds to what instrumentation libraries emit. Keys are the Prometheus names. */
export const catalogue = {
  ...pipelineMetrics,
  ...scrapePipelineMetrics,
  ...postgresHealthMetrics,
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof catalogue;

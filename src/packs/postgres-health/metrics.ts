/** Metrics from the statistics of PostgreSQL. The keys are the Prometheus names. */
import type { Metric } from '../../metrics/metric.ts';
import { groupMetrics } from './groups/index.ts';

export { connectionStates } from './groups/activity.ts';

export const postgresHealthMetrics = groupMetrics satisfies Record<string, Metric>;

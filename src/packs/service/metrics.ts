/** The metrics of the preload in every service: the requests that it answers and sends, its statements, and its process. */
import { serviceMetrics } from '../../metrics/service.ts';
import { instrumentationMetrics } from '../../metrics/third-party.ts';
import type { Metric } from '../../metrics/metric.ts';

export const httpServiceMetrics = {
  service_start_timestamp_seconds: serviceMetrics.service_start_timestamp_seconds,
  memory_usage_bytes: serviceMetrics.memory_usage_bytes,
  system_resources_usage: serviceMetrics.system_resources_usage,
  ...instrumentationMetrics,
} as const satisfies Record<string, Metric>;

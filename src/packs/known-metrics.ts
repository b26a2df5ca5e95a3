import { catalogue } from './catalogue.ts';
import type { Metric } from '../metrics/metric.ts';
import { prometheusMetrics } from '../metrics/prometheus-metrics.ts';
import { runtimeMetrics } from '../metrics/runtime-metrics.ts';
import { sidecarMetrics } from '../metrics/self.ts';

/** Every metric that dashboards and alerts may ask for, whoever emits it. Keys are the Prometheus names. */
export const knownMetrics = {
  ...catalogue,
  ...runtimeMetrics,
  ...sidecarMetrics,
  ...prometheusMetrics,
} as const satisfies Record<string, Metric>;

export type KnownMetricName = keyof typeof knownMetrics;

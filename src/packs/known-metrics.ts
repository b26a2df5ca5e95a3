import { catalogue } from './catalogue.ts';
import type { Metric } from '../metrics/metric.ts';
import { sidecarMetrics } from '../metrics/self.ts';
import { instrumentationMetrics, prometheusMetrics } from '../metrics/third-party.ts';

/** Every metric that dashboards and alerts may ask for, whoever emits it. Keys are the Prometheus names. */
export const knownMetrics = {
  ...catalogue,
  ...instrumentationMetrics,
  ...sidecarMetrics,
  ...prometheusMetrics,
} as const satisfies Record<string, Metric>;

export type KnownMetricName = keyof typeof knownMetrics;

import { catalogue } from './catalogue.ts';
import type { Metric } from './metric.ts';
import { prometheusMetrics } from './prometheus-metrics.ts';
import { runtimeMetrics } from './runtime-metrics.ts';
import { sidecarMetrics } from './sidecar-metrics.ts';

/** Every metric that dashboards and alerts may ask for, whoever emits it. Keys are the Prometheus names. */
export const knownMetrics = {
  ...catalogue,
  ...runtimeMetrics,
  ...sidecarMetrics,
  ...prometheusMetrics,
} as const satisfies Record<string, Metric>;

export type KnownMetricName = keyof typeof knownMetrics;

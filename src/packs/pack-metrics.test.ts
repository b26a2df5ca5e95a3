import { describe, expect, it } from 'vitest';
import { packMetrics } from './index.ts';
import type { Metric, MetricSource } from '../metrics/metric.ts';
import { metricName } from '../components/exporters/prometheus/names/metric-name.ts';

const entries: [string, Metric][] = Object.entries(packMetrics);

/** Names as they are, on pages without translation. */
const untranslated = new Set<MetricSource>(['sidecar', 'prometheus']);

describe.each(entries)('%s', (key, metric) => {
  it('is what the stock translation makes of its OpenTelemetry name, unit and kind', () => {
    if (untranslated.has(metric.source)) return expect(metric.name).toBe(key);
    const naming = { suffixes: true, utf8: false, namespace: '' };
    expect(metricName(metric.name, metric.unit, metric.kind, naming)).toBe(key);
  });
});

describe('the metrics of the packs', () => {
  it('names no OpenTelemetry metric twice', () => {
    expect(new Set(entries.map(([, { name }]) => name)).size).toBe(entries.length);
  });

  it('holds the names that dashboards rely on', () => {
    for (const name of [
      'fetch_latency_seconds',
      'artifacts_total',
      'review_rate_percent',
      'price_deltas_total',
      'database_queries_total',
      'price_job_duration_seconds',
      'price_changes_total',
      'price_job_success_total',
      'price_job_failures_total',
      'rate_limit_errors_total',
      'price_spike_alerts_total',
      'memory_usage_bytes',
      'database_connections_active',
      'fetch_errors_total',
      'validation_errors_total',
      'storage_operations_total',
      'rpc_operations_total',
      'pipeline_health_score',
      'system_resources_usage',
    ]) {
      expect(packMetrics).toHaveProperty(name);
    }
  });
});

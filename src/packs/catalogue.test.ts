import { describe, expect, it } from 'vitest';
import { catalogue } from './index.ts';
import type { Metric, MetricSource } from '../metrics/metric.ts';
import { metricName } from '../components/exporters/prometheus/names/metric-name.ts';

const entries: [string, Metric][] = Object.entries(catalogue);

/** Names as they are, on pages without translation. */
const untranslated = new Set<MetricSource>(['sidecar', 'prometheus']);

/** Labels that Prometheus or the exporter sets itself. */
const RESERVED = new Set(['le', 'quantile', 'job', 'instance']);

describe.each(entries)('%s', (key, metric) => {
  it('is what the stock translation makes of its OpenTelemetry name, unit and kind', () => {
    if (untranslated.has(metric.source)) return expect(metric.name).toBe(key);
    const naming = { suffixes: true, utf8: false, namespace: '' };
    expect(metricName(metric.name, metric.unit, metric.kind, naming)).toBe(key);
  });

  it('has labels that Prometheus takes as they are, each bounded, with distinct values', () => {
    for (const [label, values] of Object.entries(metric.labels)) {
      expect(label).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(RESERVED).not.toContain(label);
      if ('maxValues' in values) expect(values.maxValues).toBeGreaterThan(0);
      else expect(new Set(values).size).toBe(values.length);
    }
  });

  it('has ascending buckets if it is a histogram', () => {
    const buckets = metric.kind === 'histogram' ? metric.buckets : [];
    expect(buckets).toEqual([...new Set(buckets)].toSorted((a, b) => a - b));
  });
});

describe('the catalogue', () => {
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
      expect(catalogue).toHaveProperty(name);
    }
  });
});

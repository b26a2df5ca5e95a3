import { load } from 'js-yaml';
import { naming, prometheusExporterConfig } from '../../../src/components/exporters/prometheus/config.ts';
import { metricName } from '../../../src/components/exporters/prometheus/names/metric-name.ts';
import * as v from 'valibot';

interface DocumentedMetric {
  readonly metric_name: string;
  readonly unit?: string;
  /** A key of `db_poller`. */
  readonly kind?: 'counter' | 'sum' | 'histogram' | 'gauge';
  /** A key of `sqlquery`. */
  readonly data_type?: 'gauge' | 'sum';
  readonly monotonic?: boolean;
}

/**
 * For each metric of a configuration, its name and the name that a page shows next to it, `# Prometheus: NAME`, and the
 * same with the real name.
 */
export function prometheusNames(text: string): { readonly shown: readonly string[]; readonly real: readonly string[] } {
  const shown = Array.from(
    text.matchAll(/metric_name: (\S+)(?: +# Prometheus: ([^\s,]+))?/g),
    ([, name = '', inPrometheus = 'not shown']) => `${name}: ${inPrometheus}`,
  );
  const config = naming(v.parse(prometheusExporterConfig, {}));
  const real = metricsIn(load(text)).map((metric) => {
    const type = typeOf(metric);
    const name = metricName(metric.metric_name, metric.unit ?? '', type, config);
    return `${metric.metric_name}: ${name}${type === 'histogram' ? '_bucket' : ''}`;
  });
  return { shown, real };
}

function typeOf({ kind, data_type: dataType, monotonic }: DocumentedMetric) {
  if (kind !== undefined) return kind === 'sum' ? 'counter' : kind;
  if (dataType !== 'sum') return 'gauge';
  return monotonic === true ? 'counter' : 'non_monotonic';
}

function metricsIn(value: unknown): readonly DocumentedMetric[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('metric_name' in value) return [value as DocumentedMetric];
  return Object.values(value).flatMap(metricsIn);
}

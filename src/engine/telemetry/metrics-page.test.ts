import { expect, it } from 'vitest';
import type { CounterMetric, GaugeMetric, HistogramMetric } from '../../metrics/metric.ts';
import { MetricsPage } from './metrics-page.ts';

const common = { source: 'sidecar', unit: '{thing}', labels: {} } as const;
const things: CounterMetric = {
  ...common,
  kind: 'counter',
  name: 'siphon_things',
  description: 'Things',
  labels: { reason: { maxValues: 2, description: 'reason' } },
};
const level: GaugeMetric = { ...common, kind: 'gauge', name: 'siphon_level', description: 'Level' };
const sizes: HistogramMetric = {
  ...common,
  kind: 'histogram',
  name: 'siphon_sizes',
  description: 'Sizes',
  buckets: [1],
};

it('keeps the names of the instruments and adds the component as a label', async () => {
  const page = new MetricsPage({ 'service.version': '1.2.3' });
  const metrics = page.metricsOf('exporter', 'otlp_http/second');
  metrics.counter(things).add(2, { reason: 'total {x}' });
  metrics.observe(level, (observe) => observe(0.5, {}));
  metrics.histogram(sizes).record(3, {});
  const lines = (await page.render()).split('\n').filter((line) => !line.includes('uncaught'));
  expect(lines.filter((line) => line.includes('siphon_') && !line.includes('log_lines'))).toEqual([
    '# HELP siphon_things Things',
    '# TYPE siphon_things counter',
    'siphon_things{exporter="otlp_http/second",reason="total {x}"} 2',
    '# HELP siphon_level Level',
    '# TYPE siphon_level gauge',
    'siphon_level{exporter="otlp_http/second"} 0.5',
    '# HELP siphon_sizes Sizes',
    '# TYPE siphon_sizes histogram',
    'siphon_sizes_count{exporter="otlp_http/second"} 1',
    'siphon_sizes_sum{exporter="otlp_http/second"} 3',
    'siphon_sizes_bucket{exporter="otlp_http/second",le="1"} 0',
    'siphon_sizes_bucket{exporter="otlp_http/second",le="+Inf"} 1',
  ]);
  await page.shutdown();
});

it('joins what components of one type count into one family, under one TYPE line', async () => {
  const page = new MetricsPage({ 'service.version': '1.2.3' });
  for (const id of ['a', 'b']) page.metricsOf('exporter', id).counter(things).add(1, {});
  const text = await page.render();
  expect(text.match(/^# TYPE siphon_things counter$/gm)).toHaveLength(1);
  expect(text.match(/^siphon_things\{exporter="[ab]"\} 1$/gm)).toHaveLength(2);
  await page.shutdown();
});

it('reports the process with the types that Prometheus needs', async () => {
  const page = new MetricsPage({ 'service.version': '1.2.3' });
  const text = await page.render();
  const types = Object.fromEntries([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]));
  expect(types).toMatchObject({
    otelcol_process_uptime: 'counter',
    otelcol_process_cpu_seconds: 'counter',
    otelcol_process_memory_rss: 'gauge',
    otelcol_process_runtime_heap_alloc_bytes: 'gauge',
    otelcol_process_runtime_total_sys_memory_bytes: 'gauge',
  });
  await page.shutdown();
});

it('fails as a whole when a part of it fails', async () => {
  const page = new MetricsPage({ 'service.version': '1.2.3' });
  page.metricsOf('exporter', 'a').observe(level, () => {
    throw new Error('no level');
  });
  await expect(page.render()).rejects.toThrow(AggregateError);
  await page.shutdown();
});

it('reports how many errors were not caught, and how many log lines are missing', async () => {
  const observed = { uncaughtErrors: () => 3, lostLogLines: () => 4, suppressedLogLines: () => 5 };
  const page = new MetricsPage({ 'service.version': '1.2.3' }, observed);
  const text = await page.render();
  expect(text).toContain('\nsiphon_uncaught_errors 3\n');
  expect(text).toContain('\nsiphon_log_lines_lost 4\n');
  expect(text).toContain('\nsiphon_log_lines_suppressed 5\n');
  await page.shutdown();
});

it('shows the attributes of the resource, without those that are null', async () => {
  const page = new MetricsPage({ 'service.name': null, 'service.version': '1.2.3', 'k8s.pod.name': 'shop-0' });
  expect(await page.render()).toContain('target_info{service_version="1.2.3",k8s_pod_name="shop-0"} 1\n');
  await page.shutdown();
});

it('shows a gauge only with the labels that were reported last', async () => {
  const page = new MetricsPage({ 'service.version': '1.2.3' });
  const labelled: GaugeMetric = { ...level, labels: { reason: { maxValues: 9, description: 'reason' } } };
  let reason = 'old';
  page.metricsOf('exporter', 'debug').observe(labelled, (observe) => observe(1, { reason }));
  expect(await page.render()).toContain('siphon_level{exporter="debug",reason="old"} 1');
  reason = 'new';
  const text = await page.render();
  expect(text).toContain('siphon_level{exporter="debug",reason="new"} 1');
  expect(text).not.toContain('reason="old"');
});

it('shows every gauge to each of two scrapes at the same time', async () => {
  const page = new MetricsPage({ 'service.version': '1.2.3' });
  page.metricsOf('exporter', 'a').observe(level, (observe) => observe(0.5, {}));
  const pages = await Promise.all([page.render(), page.render(), page.render()]);
  for (const text of pages) expect(text).toContain('siphon_level{exporter="a"} 0.5');
  expect(await page.render()).toContain('siphon_level{exporter="a"} 0.5');
  await page.shutdown();
});

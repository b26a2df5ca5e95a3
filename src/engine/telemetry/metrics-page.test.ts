import { expect, it } from 'vitest';
import { MetricsPage } from './metrics-page.ts';

it('calls each instrument as the code does, with its component as label', async () => {
  const page = new MetricsPage('1.2.3');
  const meter = page.meter('exporter', 'otlp_http/second');
  meter.createCounter('siphon_things', { description: 'Things' }).add(2, { reason: 'total {x}' });
  meter.createObservableGauge('siphon_level').addCallback((result) => result.observe(0.5));
  meter.createHistogram('siphon_sizes', { advice: { explicitBucketBoundaries: [1] } }).record(3);
  const lines = (await page.render()).split('\n').filter((line) => !line.includes('uncaught'));
  expect(lines.filter((line) => line.includes('siphon_'))).toEqual([
    '# HELP siphon_things Things',
    '# TYPE siphon_things counter',
    'siphon_things{exporter="otlp_http/second",reason="total {x}"} 2',
    expect.stringMatching(/^# HELP siphon_level/),
    '# TYPE siphon_level gauge',
    'siphon_level{exporter="otlp_http/second"} 0.5',
    expect.stringMatching(/^# HELP siphon_sizes/),
    '# TYPE siphon_sizes histogram',
    'siphon_sizes_count{exporter="otlp_http/second"} 1',
    'siphon_sizes_sum{exporter="otlp_http/second"} 3',
    'siphon_sizes_bucket{exporter="otlp_http/second",le="1"} 0',
    'siphon_sizes_bucket{exporter="otlp_http/second",le="+Inf"} 1',
  ]);
  await page.shutdown();
});

it('joins what components of one type count into one family, under one TYPE line', async () => {
  const page = new MetricsPage('1.2.3');
  for (const id of ['a', 'b']) page.meter('exporter', id).createCounter('siphon_things').add(1);
  const text = await page.render();
  expect(text.match(/^# TYPE siphon_things counter$/gm)).toHaveLength(1);
  expect(text.match(/^siphon_things\{exporter="[ab]"\} 1$/gm)).toHaveLength(2);
  await page.shutdown();
});

it('tells about the process with the types that Prometheus needs', async () => {
  const page = new MetricsPage('1.2.3');
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

it('is not given at all when a part of it fails', async () => {
  const page = new MetricsPage('1.2.3');
  page
    .meter('exporter', 'a')
    .createObservableGauge('siphon_level')
    .addCallback(() => {
      throw new Error('no level');
    });
  await expect(page.render()).rejects.toThrow(AggregateError);
  await page.shutdown();
});

it('tells how many errors reached nobody', async () => {
  const page = new MetricsPage('1.2.3', () => 3);
  expect(await page.render()).toContain('\nsiphon_uncaught_errors 3\n');
  await page.shutdown();
});

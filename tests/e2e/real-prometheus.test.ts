import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { PrometheusServer, prometheusMissing } from '../support/prometheus/prometheus-server.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  counter,
  ExporterUnderTest,
  gauge,
  histogram,
  type Json,
} from '../../src/components/exporters/prometheus/exporter-under-test.ts';

const TEXTS = ['"', '\\', '\n', '\r', '{}', 'a,b="c"', '# EOF', 'ż\u{1F600}', '\0', ' ', '__name__', 'le', 'job', '1'];

/** Every text as name, as label name, as label value and as unit and help. */
const hostile: Json[] = TEXTS.flatMap((text, i) => [
  gauge(`g ${text}`, i, { labels: { [text]: text, a: `${text}${text}` } }),
  counter(text, i, { labels: { a: text }, start: 1_790_000_000_000_000_000n }),
  histogram(`h${text}`, { count: 3, sum: 1, bounds: [1], counts: [1, 2] }, { labels: { le: text } }),
  { name: `u${text}`, unit: text, description: text, gauge: { dataPoints: [{ asDouble: 1 }] } },
]);
hostile.push(histogram('x', { count: 1, sum: 1 }), gauge('x_count', 1), gauge('x_sum', 1), counter('x', 1));

const formats = [
  { enable_open_metrics: false },
  { enable_open_metrics: true },
  { enable_open_metrics: true, translation_strategy: 'NoTranslation' },
];

test.skipIf(prometheusMissing).each(formats)('Prometheus takes every sample of a hostile page: %j', async (config) => {
  await using exporter = await ExporterUnderTest.start(config);
  await exporter.consume(hostile);
  await using prometheus = await PrometheusServer.start([exporter.endpoint]);
  await waitFor(async () => ['up', 'down'].includes((await prometheus.targets())[0]?.health ?? ''), {
    what: 'the first scrape',
  });
  expect(await prometheus.targets()).toMatchObject([{ health: 'up', lastError: '' }]);
  const accept = config.enable_open_metrics ? 'application/openmetrics-text' : 'text/plain';
  const shown = (await exporter.families({ accept })).flatMap(({ samples }) => samples).length;
  const scraped = await waitFor(async () => (await prometheus.query('scrape_samples_post_metric_relabeling'))[0], {
    what: 'the number of samples',
  });
  expect(Number(scraped.value[1])).toBe(shown);
});

test.skipIf(prometheusMissing)(
  'a native histogram that does not add up costs neither the page nor other series',
  async () => {
    await using exporter = await ExporterUnderTest.start();
    await exporter.consume([exponential('good', 6), exponential('more', 9), exponential('fewer', 5), gauge('g', 1)]);
    await using prometheus = await PrometheusServer.start([exporter.endpoint], 'native-histograms');
    await waitFor(async () => ['up', 'down'].includes((await prometheus.targets())[0]?.health ?? ''), {
      what: 'the first scrape',
    });
    expect(await prometheus.targets()).toMatchObject([{ health: 'up', lastError: '' }]);
    const value = async (query: string): Promise<unknown> => (await prometheus.query(query))[0]?.value[1];
    expect(await waitFor(() => value('histogram_count(good)'), { what: 'the histogram' })).toBe('6');
    expect(await Promise.all(['g', 'more_count', 'fewer_count'].map(value))).toEqual(['1', '9', '5']);
  },
);

test.skipIf(prometheusMissing)('promtool has nothing to say about well-named metrics', async () => {
  await using exporter = await ExporterUnderTest.start();
  await exporter.consume([
    { ...(counter('artifacts', 3) as object), unit: '{artifact}', description: 'Artifacts' },
    {
      ...(histogram('fetch.latency', { count: 1, sum: 1, bounds: [1], counts: [1, 0] }) as object),
      unit: 's',
      description: 'Latency',
    },
  ]);
  const page = await (await exporter.scrape()).text();
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
  expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
});

test.skipIf(prometheusMissing)('an exemplar leads from Prometheus to its trace', async () => {
  await using exporter = await ExporterUnderTest.start({ enable_open_metrics: true });
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const timeUnixNano = String(BigInt(Date.now()) * 1_000_000n);
  const exemplars = [{ traceId, spanId: 'b7ad6b7169203331', asDouble: 0.5, timeUnixNano }];
  const dataPoints = [{ count: '1', sum: 0.5, bucketCounts: ['1', '0'], explicitBounds: [1], timeUnixNano, exemplars }];
  await exporter.consume([{ name: 'latency', histogram: { aggregationTemporality: 2, dataPoints } }]);
  await using prometheus = await PrometheusServer.start([exporter.endpoint]);
  await waitFor(async () => (await exemplarLabels(prometheus)).some((labels) => labels['trace_id'] === traceId), {
    what: 'the exemplar',
  });
});

test.skipIf(prometheusMissing)('Prometheus takes a hostile page and native histograms as protobuf', async () => {
  await using exporter = await ExporterUnderTest.start();
  const point = { count: '4', sum: 20, scale: 0, zeroCount: '0', positive: { offset: 2, bucketCounts: ['4'] } };
  const native = { aggregationTemporality: 2, dataPoints: [point] };
  await exporter.consume([...hostile, { name: 'latency', exponentialHistogram: native }]);
  await using prometheus = await PrometheusServer.start([exporter.endpoint], 'native-histograms');
  expect(await prometheus.scrapedTargets()).toEqual([{ health: 'up', lastError: '' }]);
  const value = async (expression: string): Promise<string | undefined> =>
    (await prometheus.found(expression))[0]?.value[1];
  expect(await value('histogram_count(latency)')).toBe('4');
  expect(await value('histogram_quantile(0, latency)')).toBe('4');
  expect(await value('histogram_quantile(1, latency)')).toBe('8');
  // The classic ones have the same samples as in the text, and every native one is a single sample.
  const counts = (await exporter.families()).map(({ name, samples }) => (name === 'latency' ? 1 : samples.length));
  const expected = counts.reduce((sum, count) => sum + count, 0);
  expect(Number(await value('scrape_samples_post_metric_relabeling'))).toBe(expected);
});

async function exemplarLabels(prometheus: PrometheusServer): Promise<Record<string, string>[]> {
  const range = new URLSearchParams({
    query: 'latency_bucket',
    start: String(Date.now() / 1000 - 600),
    end: String(Date.now() / 1000 + 600),
  });
  const response = await fetch(`${prometheus.url}/api/v1/query_exemplars?${range.toString()}`);
  const { data } = (await response.json()) as { data: { exemplars: { labels: Record<string, string> }[] }[] };
  return data.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels));
}

/** Its buckets hold six observations. */
function exponential(name: string, count: number): Json {
  const positive = { offset: 0, bucketCounts: ['1', '2', '3'] };
  const dataPoints = [{ count: String(count), sum: 1, scale: 0, zeroCount: '0', positive, timeUnixNano: '1' }];
  return { name, exponentialHistogram: { aggregationTemporality: 2, dataPoints } };
}

import { describe, expect, it } from 'vitest';
import { PrometheusServer, prometheusMissing, type Labels } from '../support/prometheus/prometheus-server.ts';
import { sdkRequests } from '../support/otlp/sdk-requests.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { RecordingProxy } from './prometheus-proxy.ts';

const TEXT = 'exporters.prometheus.enable_open_metrics=false';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

/** The values that tests/support/otlp/sdk-telemetry.ts records. */
const SAMPLES = {
  counter_total: '3',
  'double_total a=1': '0.25',
  'exponential_bucket le=+Inf': '4',
  exponential_count: '4',
  exponential_sum: '1000001.001',
  'gauge which=a': '-1.5',
  'gauge which=b': '1e+300',
  'histogram_seconds_bucket le=+Inf': '3',
  'histogram_seconds_bucket le=0.1': '1',
  'histogram_seconds_bucket le=1': '2',
  'histogram_seconds_bucket le=10': '2',
  histogram_seconds_count: '3',
  histogram_seconds_sum: '50.55',
  level: '-7',
};

const formats = [
  { format: 'text/plain; version=0.0.4', sets: [TEXT], counter: 'counter_total', created: undefined },
  { format: 'application/openmetrics-text; version=1.0.0', sets: [], counter: 'counter', created: '4' },
];

describe.skipIf(prometheusMissing)(`what Prometheus stores ${prometheusMissing ?? ''}`, { concurrent: true }, () => {
  it.each(formats)("is what the service's SDK recorded, as $format", async ({ format, sets, counter, created }) => {
    await using sidecar = await Sidecar.start({ sets });
    const { metrics } = await sdkRequests();
    await post(sidecar, 'application/x-protobuf', metrics.protobuf);
    await using proxy = await RecordingProxy.start(sidecar.url({ id: 'prometheus' }));
    await using prometheus = await PrometheusServer.start([proxy.endpoint]);

    const found = await prometheus.found('{otel_scope_name="meter",__name__!~".+_created"}');
    expect(Object.fromEntries(found.map(({ metric, value }) => [shortName(metric), value[1]]))).toEqual(SAMPLES);
    const [startTimes] = await prometheus.query('count({__name__=~".+_created"} > time() - 600)');
    expect(startTimes?.value[1]).toBe(created);
    expect((await prometheus.query('counter_total'))[0]?.metric).toMatchObject({
      job: 'coffee',
      text: 'größer ☕ 😀',
      list: '["a","b"]',
      large: '1099511627776',
    });
    expect(await prometheus.metadata()).toMatchObject({
      [counter]: [{ type: 'counter', help: 'counts' }],
      level: [{ type: 'gauge' }],
      gauge: [{ type: 'gauge' }],
      histogram_seconds: [{ type: 'histogram' }],
      exponential: [{ type: 'histogram' }],
    });
    expect(proxy.exchanges[0]?.accept).toContain('application/openmetrics-text');
    expect(new Set(proxy.exchanges.map(({ contentType }) => contentType.slice(0, format.length)))).toEqual(
      new Set([format]),
    );
  });

  it('leads from a bucket and from a counter to the trace of an exemplar', async () => {
    await using sidecar = await Sidecar.start();
    await post(sidecar, 'application/json', Buffer.from(JSON.stringify(withExemplars())));
    await using prometheus = await PrometheusServer.start([new URL(sidecar.url({ id: 'prometheus' })).host]);

    const exemplars = await waitFor(
      async () => {
        const found = await prometheus.exemplars('{job="roaster"}');
        return found.length === 2 && found;
      },
      { what: 'both exemplars' },
    );
    const trace = { trace_id: TRACE, span_id: SPAN };
    const byName = new Map(exemplars.map((series) => [series.seriesLabels['__name__'], series]));
    expect(byName.get('bags_total')).toMatchObject({ exemplars: [{ labels: trace, value: '2' }] });
    expect(byName.get('roast_seconds_bucket')).toMatchObject({
      seriesLabels: { le: '1.0' },
      exemplars: [{ labels: trace, value: '0.5' }],
    });
  });
});

async function post(sidecar: Sidecar, contentType: string, body: Uint8Array): Promise<void> {
  const headers = { 'content-type': contentType };
  const { status } = await fetch(`${sidecar.otlpHttp}/v1/metrics`, {
    method: 'POST',
    headers,
    body: Buffer.from(body),
  });
  expect(status).toBe(200);
}

/** The name with the labels that identify the series. OpenMetrics writes bounds as `1.0`. */
function shortName({ __name__: name = '', le, which, a }: Labels): string {
  const labels = Object.entries({ le: le?.replace(/\.0$/, ''), which, a });
  return [name, ...labels.flatMap(([key, value]) => (value === undefined ? [] : `${key}=${value}`))].join(' ');
}

/** No SDK for JavaScript writes exemplars; those of other languages do. */
function withExemplars(): unknown {
  const timeUnixNano = `${Date.now()}000000`;
  const exemplar = { traceId: TRACE, spanId: SPAN, timeUnixNano };
  const bags = { timeUnixNano, asDouble: 7, exemplars: [{ ...exemplar, asDouble: 2 }] };
  const roast = {
    timeUnixNano,
    count: '2',
    sum: 5.5,
    explicitBounds: [0.1, 1],
    bucketCounts: ['0', '1', '1'],
    exemplars: [{ ...exemplar, asDouble: 0.5 }],
  };
  const cumulative = { aggregationTemporality: 2 };
  const metrics = [
    { name: 'bags', sum: { ...cumulative, isMonotonic: true, dataPoints: [bags] } },
    { name: 'roast', unit: 's', histogram: { ...cumulative, dataPoints: [roast] } },
  ];
  const attributes = [{ key: 'service.name', value: { stringValue: 'roaster' } }];
  return { resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ metrics }] }] };
}

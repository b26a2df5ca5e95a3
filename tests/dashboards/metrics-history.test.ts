/** The dashboards with the sidecar's own history as their Prometheus, next to a real one that scrapes the same sidecar. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PrometheusSource } from '../../src/console/prometheus-source.ts';
import { encodeMetricsRequest, type MetricData } from '../../src/engine/otlp/metrics-writer.ts';
import { chromiumMissing, startBrowser } from '../support/dashboards/browser.ts';
import { startPreview } from '../support/dashboards/built-page.ts';
import { dashboards, eachPanel, shownOn } from '../support/dashboards/panel-data.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { prometheusMissing, PrometheusServer } from '../support/prometheus/prometheus-server.ts';
import { waitFor } from '../support/wait-for.ts';

const missing = prometheusMissing ?? chromiumMissing;
if (missing !== undefined) process.stderr.write(`The history is not compared with Prometheus: ${missing}\n`);

const SETS = [
  'extensions.metrics_history.endpoint=127.0.0.1:0',
  'extensions.metrics_history.interval=1s',
  'extensions.metrics_history.rules={}',
  'exporters.prometheus.history=metrics_history',
  'service.extensions=[file_storage, health_check, metrics_history]',
];

describe.skipIf(missing !== undefined)('the history of a sidecar', () => {
  let sidecar: Sidecar;
  let prometheus: PrometheusServer;
  let api: string;
  let sender: NodeJS.Timeout;
  let sends = 0;

  beforeAll(async () => {
    sidecar = await Sidecar.start({ sets: SETS });
    api = sidecar.url({ id: 'metrics_history' });
    await send();
    sender = setInterval(() => void send(), 1000);
    const target = (id: Record<string, string>): string => new URL(sidecar.url(id)).host;
    prometheus = await PrometheusServer.startWith({
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      scrape_configs: [
        { job_name: 'services', honor_labels: true, static_configs: [{ targets: [target({ id: 'prometheus' })] }] },
        { job_name: 'siphon', static_configs: [{ targets: [target({ kind: 'telemetry' })] }] },
      ],
    });
    await prometheus.found('rate(shop_request_duration_seconds_bucket[10s]) > 0');
    await waitFor(
      async () =>
        (await ask<{ result: unknown[] }>('query', { query: 'rate(shop_orders_total[10s]) > 0' })).result.length > 0,
      {
        what: 'a rate in the history',
      },
    );
  }, 120_000);

  afterAll(async () => {
    clearInterval(sender);
    await prometheus?.[Symbol.asyncDispose]();
    await sidecar?.[Symbol.asyncDispose]();
  });

  it('has every series that Prometheus scrapes, with the same labels and values', async () => {
    for (const selector of [
      'database_size_bytes',
      'shop_request_duration_seconds_bucket',
      'otelcol_exporter_sent_metric_points',
    ]) {
      const series = async (source: PrometheusSource): Promise<readonly object[]> =>
        (await source.at(selector, Date.now() / 1000)).map(({ labels }) => labels);
      const [ours, theirs] = [
        await series(new PrometheusSource(api)),
        await series(new PrometheusSource(prometheus.url)),
      ];
      expect(theirs.length).toBeGreaterThan(0);
      expect(new Set(ours.map(text))).toEqual(new Set(theirs.map(text)));
    }
    const beside = /^(?:up|scrape_.*|.*_created)$/;
    expect(await namesAt(api)).toEqual((await namesAt(prometheus.url)).filter((name) => !beside.test(name)));
    expect(await new PrometheusSource(api).at('database_size_bytes', Date.now() / 1000)).toMatchObject([
      { value: 12_345 },
    ]);
  });

  it('answers every query of every panel', async () => {
    const source = new PrometheusSource(api);
    const shown: string[] = [];
    for (const { dashboard, panel } of eachPanel) {
      shown.push(...(await shownOn(source, dashboard, { panel, range: '15m', scrapeS: 1 })));
    }
    expect(shown.length).toBeGreaterThan(10);
  }, 60_000);

  it('is the Prometheus of the page', async () => {
    const prometheusUrl = new URL(api);
    await using preview = await startPreview({ prometheus: prometheusUrl, dashboards, scrapeS: 1, port: 0 });
    const browser = await startBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
      await page.goto(`${preview.url}/d/siphon-database?from=now-5m&to=now`);
      await page.locator('.panel[data-state=data]').first().waitFor();
      expect(await page.locator('.panel[data-state=error]').count()).toBe(0);
    } finally {
      await browser.close();
    }
  });

  it('answers what Grafana asks for', async () => {
    expect(await ask('status/buildinfo', {})).toMatchObject({ version: '2.42.0' });
    expect(await ask('metadata', { metric: 'shop_orders_total' })).toEqual({
      shop_orders_total: [{ type: 'counter', help: 'Orders', unit: '' }],
    });
    expect(await ask('labels', { 'match[]': 'shop_orders_total' })).toEqual(
      expect.arrayContaining(['__name__', 'instance', 'job', 'shop']),
    );
    expect(await ask<unknown[]>('series', { 'match[]': '{shop="a"}' })).toHaveLength(1);
    expect(await ask('query_exemplars', { query: 'shop_orders_total', start: '0', end: '1' })).toEqual([]);
    await waitFor(async () => (await ask<{ alerts: unknown[] }>('alerts', {})).alerts.length > 0, { what: 'an alert' });
    expect(await ask('rules', { 'rule_name[]': 'Watchdog' })).toMatchObject({
      groups: [{ rules: [{ name: 'Watchdog', state: 'firing', health: 'ok', alerts: [{ state: 'firing' }] }] }],
    });
    const posted = await fetch(`${api}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: '1 + 1' }),
    });
    expect(await posted.json()).toMatchObject({ data: { resultType: 'scalar', result: [expect.any(Number), '2'] } });
  });

  it('ends series with their sender', async () => {
    await send({ job: 'late', value: 1 });
    const present = 'count(database_size_bytes{job="late"})';
    await waitFor(async () => (await ask<{ result: unknown[] }>('query', { query: present })).result.length > 0, {
      what: present,
    });
    await send({ job: 'late', value: undefined });
    await waitFor(async () => (await ask<{ result: unknown[] }>('query', { query: present })).result.length === 0, {
      what: 'the series to end, long before five minutes',
    });
  });

  async function ask<T>(path: string, parameters: Record<string, string>): Promise<T> {
    const answer = await fetch(`${api}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const { data, error } = (await answer.json()) as { readonly data: T; readonly error?: string };
    if (error !== undefined) throw new Error(error);
    return data;
  }

  async function send(
    { job, value }: { readonly job: string; readonly value: number | undefined } = { job: 'db_poller', value: 12_345 },
  ): Promise<void> {
    sends++;
    const metrics: MetricData[] = [
      { kind: 'gauge', name: 'database.size', unit: 'By', description: 'Size', points: [{ attributes: {}, value }] },
    ];
    if (job === 'db_poller') metrics.push(...ofShop());
    const resource = { 'service.name': job, 'service.instance.id': 'shop' };
    const body = encodeMetricsRequest({
      resource,
      scope: { name: 'test', version: '1' },
      timeUnixMs: Date.now(),
      metrics,
    });
    await fetch(`${sidecar.otlpHttp}/v1/metrics`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: Buffer.from(body),
    });
  }

  function ofShop(): MetricData[] {
    const bucketCounts = [sends, sends, 1, 0];
    const count = sends * 2 + 1;
    return [
      {
        kind: 'sum',
        name: 'shop.orders',
        unit: '',
        description: 'Orders',
        monotonic: true,
        temporality: 'cumulative',
        points: [{ attributes: { shop: 'a' }, value: sends }],
      },
      {
        kind: 'histogram',
        name: 'shop.request.duration',
        unit: 's',
        description: 'Time',
        bounds: [0.1, 0.5, 2],
        points: [{ attributes: {}, value: { count, sum: count, bucketCounts } }],
      },
    ];
  }
});

function text(labels: object): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function namesAt(url: string): Promise<readonly string[]> {
  return await new PrometheusSource(url).labelValues('__name__', '{job!=""}', {
    fromS: 0,
    toS: Date.now() / 1000 + 10,
  });
}

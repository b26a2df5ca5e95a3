import { metrics } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { describe, expect, it } from 'vitest';
import { coffeeMetrics } from '../../examples/coffee/coffee-metrics.ts';
import type { Metric } from '../../src/metrics/metric.ts';
import { recorder } from '../../src/sdk/recorders.ts';
import { prometheusMissing } from '../support/prometheus/prometheus-server.ts';
import { parsePrometheusText } from '../support/prometheus/prometheus-text.ts';
import { FixtureService } from '../support/processes/fixture-service.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { checkMetrics } from './prometheus-promtool.ts';

describe.skipIf(prometheusMissing)(`promtool check metrics ${prometheusMissing ?? ''}`, () => {
  it('finds no fault with any metric of the packs, and every name is kept', async () => {
    await using sidecar = await Sidecar.start();
    await recordAll(Object.values(coffeeMetrics), sidecar.otlpHttp);
    const page = await sidecar.scrape();
    const names = parsePrometheusText(page).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(coffeeMetrics)));
    expect(checkMetrics(page)).toEqual([]);
  });

  it('has nothing to say about what a service sends under the preload', async () => {
    await using sidecar = await Sidecar.start();
    // The states of a process end with it, so that it has to run.
    await using _ = new FixtureService(sidecar.otlpHttp, { rounds: 1000, pauseMs: 50 });
    let page = '';
    const isComplete = async (): Promise<boolean> => {
      page = await sidecar.scrape();
      return ['nodejs_eventloop_utilization', 'fetch_errors_total'].every((name) => page.includes(name));
    };
    await waitFor(isComplete, { what: 'the metrics of the service' });
    expect(checkMetrics(page)).toEqual([]);
  });

  /** Dashboards for the stock Collector ask for these names: docs/decisions/0001-own-metrics-under-stock-names.md. */
  it('misses only the _total of the counters that keep their stock names on the page of own metrics', async () => {
    await using sidecar = await Sidecar.start();
    const page = await sidecar.selfMetrics();
    const counters = parsePrometheusText(page).filter(({ type }) => type === 'counter');
    const complaints = counters.map(({ name }) => `${name} counter metrics should have "_total" suffix`);
    expect(complaints.length).toBeGreaterThan(0);
    expect(checkMetrics(page)).toEqual(complaints.toSorted());
  });
});

/** One point of each metric, through an SDK. */
async function recordAll(all: readonly Metric[], otlpEndpoint: string): Promise<void> {
  const exporter = new OTLPMetricExporter({ url: `${otlpEndpoint}/v1/metrics` });
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const resource = resourceFromAttributes({ 'service.name': 'coffee', 'service.instance.id': 'one', region: 'in' });
  const provider = new MeterProvider({ resource, readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  for (const metric of all) record(metric);
  await provider.shutdown();
  metrics.disable();
}

function record(metric: Metric): void {
  const labels = Object.fromEntries(
    Object.entries(metric.labels).map(([key, label]) => [key, Array.isArray(label) ? (label[0] as string) : 'some']),
  );
  recorder(metric)(labels, 1);
}

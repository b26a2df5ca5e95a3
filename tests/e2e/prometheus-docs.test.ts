import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { PrometheusServer, prometheusMissing } from '../support/prometheus/prometheus-server.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { checkConfig } from './prometheus-promtool.ts';
import { SdkRun } from './prometheus-sdk.ts';

const page = readFileSync(new URL('../../docs/prometheus.md', import.meta.url), 'utf8');
const [, prometheusYaml = ''] = /^```yaml prometheus file=prometheus\.yml\n(.*?)^```$/ms.exec(page) ?? [];
const [, siphonYaml = ''] = /^```yaml\n(.*?)^```$/ms.exec(page) ?? [];

describe.skipIf(prometheusMissing)(`docs/prometheus.md ${prometheusMissing ?? ''}`, () => {
  it('has a prometheus.yml that promtool takes', () => {
    expect(checkConfig(prometheusYaml)).toEqual([]);
  });

  it('scrapes a service and siphon itself under the documented jobs', async () => {
    await using sidecar = await Sidecar.start({ sets: exporterSettings() });
    await using run = new SdkRun(sidecar.otlpHttp, { job: 'roaster', instance: 'one' });
    await run.fill(3);
    await using prometheus = await PrometheusServer.startWith(configurationFor(sidecar));

    expect(await prometheus.scrapedTargets()).toEqual([UP, UP]);
    expect(await prometheus.found('bags_total')).toMatchObject([{ metric: { job: 'roaster', instance: 'one' } }]);
    expect(await prometheus.found('otelcol_process_uptime')).toMatchObject([{ metric: { job: 'siphon' } }]);
    // Only the count of series by job has a label that Prometheus sets itself.
    expect(await prometheus.query('{exported_job=~".+", __name__!="siphon_prometheus_series"}')).toEqual([]);
  });
});

const UP = { health: 'up', lastError: '' };

/** The configuration from the documentation, with the ports of this sidecar and a shorter interval. */
function configurationFor(sidecar: Sidecar): object {
  const { port: scrapePort } = new URL(sidecar.url({ id: 'prometheus' }));
  const { port: telemetryPort } = new URL(sidecar.url({ kind: 'telemetry' }));
  const yaml = prometheusYaml.replace(':8000', `:${scrapePort}`).replace(':8888', `:${telemetryPort}`);
  return { global: { scrape_interval: '500ms', scrape_timeout: '500ms' }, ...(load(yaml) as object) };
}

function exporterSettings(): string[] {
  const { exporters } = load(siphonYaml) as { exporters: { prometheus: Record<string, unknown> } };
  return Object.entries(exporters.prometheus).map(([key, value]) => `exporters.prometheus.${key}=${String(value)}`);
}

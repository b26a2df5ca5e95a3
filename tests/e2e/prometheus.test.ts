import { describe, expect, it } from 'vitest';
import { PrometheusServer, prometheusMissing } from '../support/prometheus/prometheus-server.ts';
import { FixtureService } from '../support/processes/fixture-service.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { SdkRun } from './prometheus-sdk.ts';

const UP = { health: 'up', lastError: '' };

describe.skipIf(prometheusMissing)(`a real Prometheus ${prometheusMissing ?? ''}`, { concurrent: true }, () => {
  it('scrapes both endpoints without a complaint, and finds the service under its own job', async () => {
    await using sidecar = await Sidecar.start();
    await using service = new FixtureService(sidecar.otlpHttp);
    await service.exitCode;
    await using prometheus = await PrometheusServer.start([scrapeEndpoint(sidecar), telemetryEndpoint(sidecar)]);

    expect(await prometheus.scrapedTargets()).toEqual([UP, UP]);
    const [sample] = await prometheus.found('sum by (job, source) (fetch_latency_seconds_count)');
    expect(sample).toMatchObject({ metric: { job: 'coffee', source: 'blue-tokai' }, value: [expect.any(Number), '1'] });
  });

  it('keeps services apart that share a sidecar by job and instance, where it honors labels', async () => {
    await using sidecar = await Sidecar.start();
    await using roaster = new SdkRun(sidecar.otlpHttp, { job: 'roaster', instance: 'one' });
    await using other = new SdkRun(sidecar.otlpHttp, { job: 'roaster', instance: 'two' });
    await using shop = new SdkRun(sidecar.otlpHttp, { job: 'shop', instance: 'one' });
    await Promise.all([roaster.fill(1), other.fill(2), shop.fill(3)]);
    const scrape = { static_configs: [{ targets: [scrapeEndpoint(sidecar)] }], scrape_interval: '500ms' };
    await using prometheus = await PrometheusServer.startWith({
      scrape_configs: [
        { job_name: 'honoring', honor_labels: true, ...scrape },
        { job_name: 'renaming', ...scrape },
      ],
    });

    await prometheus.scrapedTargets();
    const honored = await prometheus.found('bags_total{exported_job=""}');
    const bags = honored.map(({ metric: { job, instance }, value }) => [`${job} ${instance}`, value[1]]);
    expect(Object.fromEntries(bags)).toEqual({ 'roaster one': '1', 'roaster two': '2', 'shop one': '3' });
    const renamed = await prometheus.found('bags_total{exported_job="shop"}');
    expect(renamed).toMatchObject([
      { metric: { job: 'renaming', instance: scrapeEndpoint(sidecar), exported_instance: 'one' } },
    ]);
  });
});

function scrapeEndpoint(sidecar: Sidecar): string {
  return new URL(sidecar.url({ id: 'prometheus' })).host;
}

function telemetryEndpoint(sidecar: Sidecar): string {
  return new URL(sidecar.url({ kind: 'telemetry' })).host;
}

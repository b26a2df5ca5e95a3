import { describe, expect, it } from 'vitest';
import { PrometheusServer, prometheusMissing } from '../support/prometheus-server.ts';
import { Service } from '../support/service.ts';
import { Sidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

describe.skipIf(prometheusMissing)(`a real Prometheus ${prometheusMissing ?? ''}`, () => {
  it('scrapes both endpoints without a complaint, and finds the service under its own job', async () => {
    await using sidecar = await Sidecar.start();
    await using service = new Service(sidecar.otlpHttp);
    await service.exitCode;
    const endpoints = [sidecar.url({ id: 'prometheus' }), sidecar.url({ kind: 'telemetry' })];
    await using prometheus = await PrometheusServer.start(endpoints.map((url) => url.replace('http://', '')));

    const [sample] = await waitFor(
      async () => {
        const found = await prometheus.query('sum by (job, source) (fetch_latency_seconds_count)');
        return found.length > 0 && found;
      },
      { what: 'the service in Prometheus' },
    );
    expect(sample).toMatchObject({ metric: { job: 'coffee', source: 'blue-tokai' }, value: [expect.any(Number), '1'] });
    const targets = await waitFor(
      async () => {
        const seen = await prometheus.targets();
        return seen.every(({ health }) => health !== 'unknown') && seen;
      },
      { what: 'both endpoints to be scraped' },
    );
    expect(targets.map(({ health, lastError }) => ({ health, lastError }))).toEqual([
      { health: 'up', lastError: '' },
      { health: 'up', lastError: '' },
    ]);
  });
});

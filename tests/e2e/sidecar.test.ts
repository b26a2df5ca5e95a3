import { createServer } from 'node:net';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { startSentrySink } from '../../examples/sentry-sink/sentry-sink.ts';
import { FixtureService } from '../support/processes/fixture-service.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { slowdown } from '../support/slowdown.ts';
import { waitFor } from '../support/wait-for.ts';

describe('the sidecar on the shipped configuration', () => {
  it('shows a preloaded service on the scrape endpoint, and its failed operation in Sentry as a transaction with a linked error', async () => {
    await using sink = await startSentrySink();
    await using sidecar = await Sidecar.start({ environment: { SENTRY_DSN: sink.dsn } });
    await using service = new FixtureService(sidecar.otlpHttp);

    expect(await service.exitCode).toBe(0);
    const page = await sidecar.scrape();
    expect(page).toMatch(/^fetch_latency_seconds_count\{.*job="coffee".*source="blue-tokai".*\} 1$/m);
    expect(page).toMatch(/^fetch_errors_total\{.*error_type="http_4xx".*\} 1$/m);

    const transaction = await waitFor(() => sink.transactions().find(({ transaction: name }) => name === 'A.2 fetch'), {
      what: 'the transaction',
    });
    const error = await waitFor(() => sink.errors()[0], { what: 'the linked error' });
    expect(error.exception.values[0]?.value).toBe('the store answered 404');
    expect(error.contexts?.trace?.trace_id).toBe(transaction.contexts.trace.trace_id);
    expect(transaction.spans.some(({ op }) => op === 'http.client')).toBe(true);
    expect(sink.problems()).toEqual([]);
  });

  it('checks a bcrypt hash in the worker thread of the built command', async () => {
    const hash = '$2y$05$abcdefghijklmnopqrstuuZVEMa1pjhlynBQ1qXmSvGBJpN9h1w8G';
    await using sidecar = await Sidecar.start({
      environment: { USERS: `prometheus:${hash}` },
      sets: [
        'extensions.basic_auth={htpasswd: {inline: "${env:USERS}"}}',
        'service.extensions=[file_storage, health_check, metrics_history, console, basic_auth]',
        'exporters.prometheus.auth={authenticator: basic_auth}',
      ],
    });
    const scrape = async (credentials: string): Promise<number> => {
      const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
      return (await fetch(`${sidecar.url({ id: 'prometheus' })}/metrics`, { headers: { authorization } })).status;
    };
    expect([await scrape('prometheus:pässwörd'), await scrape('prometheus:other')]).toEqual([200, 401]);
  });

  it('drains on SIGTERM and on SIGINT, and exits 0', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      await using sidecar = await Sidecar.start();
      expect(await sidecar.stop(signal)).toBe(0);
    }
  });

  it('sends what is still in its queues before it ends', async () => {
    await using sink = await startSentrySink();
    await using sidecar = await Sidecar.start({
      environment: { SENTRY_DSN: sink.dsn },
      sets: ['processors.batch.timeout=1h'],
    });
    await using service = new FixtureService(sidecar.otlpHttp);
    await service.exitCode;
    expect(await sidecar.stop()).toBe(0);
    expect(sink.transactions().map(({ transaction }) => transaction)).toContain('A.2 fetch');
  });

  it('logs once that the poller and Sentry are off without settings, and stays healthy', async () => {
    await using sidecar = await Sidecar.start();
    const off = sidecar.logs.filter(({ msg }) => /off|disabled/i.test(msg)).map(({ id }) => String(id));
    expect(off.toSorted()).toEqual(['db_poller', 'sentry']);
    expect((await fetch(sidecar.url({ id: 'health_check' }))).status).toBe(200);
  });

  it('ends with one clear line and exit 1 when a port is in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => {
      other.listen(0, '127.0.0.1', resolve);
    });
    const { port } = other.address() as { port: number };
    const started = Sidecar.start({ sets: [`exporters.prometheus.endpoint=127.0.0.1:${port}`] });
    await expect(started).rejects.toThrow(new RegExp(`exporters::prometheus.*127.0.0.1:${port} is already in use`));
    other.close();
  });

  it('answers malformed telemetry with 400, counts it, and continues', async () => {
    await using sidecar = await Sidecar.start();
    const headers = { 'content-type': 'application/x-protobuf' };
    const response = await fetch(`${sidecar.otlpHttp}/v1/metrics`, {
      method: 'POST',
      headers,
      body: new Uint8Array([10, 200]),
    });
    expect(response.status).toBe(400);
    expect(await sidecar.selfMetrics()).toMatch(/rejected_requests.*reason="malformed".* 1$/m);
    expect((await fetch(sidecar.url({ id: 'health_check' }))).status).toBe(200);
  });

  it('counts what it received and sent under the stock names', async () => {
    await using sidecar = await Sidecar.start();
    await using service = new FixtureService(sidecar.otlpHttp);
    await service.exitCode;
    const page = await sidecar.selfMetrics();
    expect(page).toMatch(
      /^otelcol_receiver_accepted_metric_points\{.*receiver="otlp".*transport="http".*\} [1-9]\d*$/m,
    );
    expect(page).toMatch(/^otelcol_receiver_accepted_spans\{.*\} [1-9]\d*$/m);
    expect(page).toMatch(/^otelcol_exporter_sent_metric_points\{.*exporter="prometheus".*\} [1-9]\d*$/m);
    expect(page).toMatch(/^otelcol_process_memory_rss(\{.*\})? [1-9]\d*$/m);
  });
});

describe('a pipeline whose sidecar is killed', () => {
  it('is neither slowed nor failed, and is seen again after a restart of the sidecar alone', async () => {
    await using first = await Sidecar.start();
    const otlp = first.otlpHttp;
    await using service = new FixtureService(otlp, { rounds: 100, pauseMs: 100 });
    await waitFor(() => service.rounds.length > 20, { what: 'the service to work' });
    await first.stop('SIGKILL');
    const killedAt = service.rounds.length;
    await waitFor(() => service.rounds.length > killedAt + 25, { what: 'the service to go on', timeoutMs: 5000 });

    const endpoint = otlp.replace('http://', '');
    await using second = await Sidecar.start({ sets: [`receivers.otlp.protocols.http.endpoint=${endpoint}`] });
    await waitFor(async () => (await second.scrape()).includes('fetch_latency_seconds_count'), {
      what: 'data after the restart',
    });

    expect(await service.exitCode).toBe(0);
    const times = service.rounds.map(({ milliseconds }) => milliseconds).filter((value) => typeof value === 'number');
    const [before, during] = [times.slice(5, killedAt), times.slice(killedAt, killedAt + 25)];
    expect(median(during)).toBeLessThan(median(before) * 2 + 5);
  });
});

describe('the cost of doing nothing', () => {
  it('is ready in under 0.5 s (median of 5)', async () => {
    const seconds: number[] = [];
    for (let start = 0; start < 5; start++) {
      const began = performance.now();
      await using sidecar = await Sidecar.start();
      seconds.push((performance.now() - began) / 1000);
      await sidecar.stop();
    }
    expect(median(seconds)).toBeLessThan(0.5 * slowdown());
  });

  it('idles below 96 MiB resident, including 50 MiB of Node itself', async () => {
    await using sidecar = await Sidecar.start();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const status = readFileSync(`/proc/${sidecar.process.pid}/status`, 'utf8');
    // How much of the program a system maps differs by 15 MiB; what no file backs does not. The history of the metrics
    // and the console, which run by default, take 2 MiB.
    expect(Number(/RssAnon:\s+(\d+) kB/.exec(status)?.[1]) / 1024).toBeLessThan(96 - 50);
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

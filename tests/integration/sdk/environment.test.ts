import { expect, it } from 'vitest';
import { runObserved } from '../../support/processes/observed-script.ts';

const script = `
  import { get } from 'node:http';
  await new Promise((resolve) => get('http://127.0.0.1:1/').on('error', resolve));
  console.log(JSON.stringify([process.env.OTEL_SERVICE_NAME, process.env.OTEL_RESOURCE_ATTRIBUTES, process.env.OTEL_TRACES_SAMPLER]));`;

it('treats blank variables as absent, accepts any case, and leaves the environment as it was', async () => {
  const environment = {
    OTEL_SERVICE_NAME: '',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=,a=b',
    OTEL_TRACES_SAMPLER: 'Always_Off',
  };
  await using run = await runObserved(script, environment);
  expect(run).toMatchObject({ code: 0, stderr: '', stdout: `${JSON.stringify(Object.values(environment))}\n` });
  const attribute = (key: string): unknown => run.capture.resourceAttribute(key)[0];
  expect(attribute('service.name')).toBe('siphon-otel');
  expect(attribute('service.version')).toMatch(/^\d+\.\d+\.\d+/);
  expect(attribute('a')).toBe('b');
  expect(run.capture.spans()).toEqual([]);
});

it('reports each wrong value in one line, and the service runs', async () => {
  await using run = await runObserved(script, {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318',
    OTEL_TRACES_SAMPLER: 'sometimes',
    OTEL_CONFIG_FILE: 'otel.yaml',
    SIPHON_FLUSH_TIMEOUT_MS: 'soon',
    OTEL_METRIC_EXPORT_INTERVAL: '15s',
    OTEL_LOG_LEVEL: 'loud',
    SIPHON_PROPAGATE_TO_HOSTS: 'https://api.example.com/',
  });
  expect(run.code).toBe(0);
  const lines = run.stderr.trim().split('\n');
  expect(lines.map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual([
    'siphon-otel/preload: OTEL_EXPORTER_OTLP_ENDPOINT must start',
    'siphon-otel/preload: OTEL_TRACES_SAMPLER must be',
    'siphon-otel/preload: SIPHON_FLUSH_TIMEOUT_MS must be',
    'siphon-otel/preload: SIPHON_PROPAGATE_TO_HOSTS must be',
    'siphon-otel/preload: OTEL_METRIC_EXPORT_INTERVAL must be',
    'siphon-otel/preload: OTEL_LOG_LEVEL must be',
    'siphon-otel/preload: OTEL_CONFIG_FILE is not',
  ]);
});

const tenRequests = `
  import { get } from 'node:http';
  const ask = () => new Promise((resolve) => get('http://127.0.0.1:1/').on('error', resolve));
  await Promise.all(Array.from({ length: 10 }, ask));`;

it.each<[Record<string, string>, { spans: number; measured: boolean }]>([
  [{}, { spans: 10, measured: true }],
  [{ OTEL_TRACES_EXPORTER: 'none' }, { spans: 0, measured: true }],
  [
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
    { spans: 0, measured: true },
  ],
  [{ OTEL_METRICS_EXPORTER: 'none' }, { spans: 10, measured: false }],
  [{ OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'undici' }, { spans: 0, measured: false }],
  [{ OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http' }, { spans: 0, measured: false }],
])('sends of ten requests with %j: %j', async (environment, expected) => {
  await using run = await runObserved(tenRequests, environment);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  const measured = run.capture.metrics().some(({ name }) => name === 'http.client.request.duration');
  expect({ spans: run.capture.spans().length, measured }).toEqual(expected);
});

import { expect, it } from 'vitest';
import { componentFactories } from '../../components/index.ts';
import { loadConfig } from './load-config.ts';

interface Addresses {
  readonly http?: string;
  readonly page?: string;
  readonly health?: string;
  readonly own?: string;
}

async function load({ http = '127.0.0.1:4318', page = ':8000', health = ':13133', own = '8888' }: Addresses) {
  const text = `receivers: { otlp: { protocols: { grpc: , http: { endpoint: "${http}" } } } }
exporters: { prometheus: { endpoint: "${page}" } }
extensions:
  health_check: { endpoint: "${health}" }
service:
  extensions: [health_check]
  telemetry: { metrics: { readers: [ { pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${own} } } } } ] } }
  pipelines: { metrics: { receivers: [otlp], exporters: [prometheus] } }`;
  const sources = [{ name: 'c.yaml', text }];
  return await loadConfig({ sources, sets: [], environment: {}, factories: componentFactories([]) });
}

it.each([
  [{ page: '127.0.0.1:8888' }, 'c.yaml:7 service::telemetry::metrics: uses port 8888, which exporters::prometheus'],
  [
    { http: '127.0.0.1:4317' },
    'c.yaml:1 receivers::otlp::protocols::grpc::endpoint: uses port 4317, which receivers::',
  ],
  [{ http: '[::]:13133', health: '127.0.0.1:13133' }, 'which extensions::health_check::endpoint uses too'],
  [{ http: '[::0]:13133', health: '127.0.0.1:13133' }, 'which extensions::health_check::endpoint uses too'],
  [{ http: 'localhost:8000', page: '[::1]:8000' }, 'which receivers::otlp::protocols::http::endpoint uses too'],
  [{ own: '13133' }, 'which extensions::health_check::endpoint uses too: choose another port'],
])('refuses %j, where two servers use one port', async (addresses, message) => {
  await expect(load(addresses)).rejects.toThrow(message);
});

it.each([
  [{}],
  [{ http: '127.0.0.1:8000', page: '[::1]:8000' }],
  [{ http: '127.0.0.1:8000', page: '10.0.0.1:8000' }],
  [{ http: '127.0.0.1:0', page: '127.0.0.1:0', health: ':0', own: '0' }],
])('accepts %j', async (addresses) => {
  await expect(load(addresses)).resolves.toBeDefined();
});

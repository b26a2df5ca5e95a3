import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { otlpHttpExporterConfig } from '../../../../src/components/exporters/otlp-http/config.ts';
import { otlpHttpExporter } from '../../../../src/components/exporters/otlp-http/factory.ts';
import { spansBatch } from '../../../support/components/batches.ts';
import { componentSettings } from '../../../support/components/component-settings.ts';
import { findingsOf } from '../../../support/components/findings.ts';
import { hostWith } from '../../../support/components/host-with.ts';
import { listening, startProxy, stop } from '../../../support/network/forward-proxy.ts';
import { hasOpenssl, SelfSignedCertificates } from '../../../support/network/self-signed-certificates.ts';

const accept: RequestListener = (request, response) => {
  request.resume();
  response.end();
};

async function send(keys: Readonly<Record<string, unknown>>): Promise<void> {
  const config = v.parse(otlpHttpExporterConfig, keys);
  const exporter = otlpHttpExporter.create(componentSettings('exporter', 'otlp_http').settings, config);
  await exporter.start(hostWith());
  try {
    await exporter.consume(spansBatch(['a']));
  } finally {
    await exporter.shutdown(AbortSignal.timeout(1000));
  }
}

it('sends through proxy_url, also to this machine, with the credentials of the URL', async () => {
  const { server: proxy, seen, port } = await startProxy();
  const backend = createServer(accept);
  const endpoint = `http://127.0.0.1:${await listening(backend)}`;
  await send({ endpoint, proxy_url: `http://user:p%40ss@127.0.0.1:${port}` });
  const authorization = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
  expect(seen).toEqual([{ line: `POST ${endpoint}/v1/traces`, authorization }]);
  stop(proxy, backend);
});

it.skipIf(!hasOpenssl)('opens a tunnel through proxy_url for https', async () => {
  using certificates = new SelfSignedCertificates('server');
  const { server: proxy, seen, port } = await startProxy();
  const identity = { cert: certificates.read('server.pem'), key: certificates.read('server.key') };
  const backend = createHttpsServer(identity, accept);
  const address = `127.0.0.1:${await listening(backend)}`;
  const keys = { endpoint: `https://${address}`, proxy_url: `http://127.0.0.1:${port}` };
  await expect(send(keys)).rejects.toThrow('self-signed');
  await send({ ...keys, tls: { ca_file: certificates.file('server.pem') } });
  expect(seen.map(({ line }) => line)).toEqual([`CONNECT ${address}`, `CONNECT ${address}`]);
  stop(proxy, backend);
});

it('names the proxy in findings and errors, without its credentials', async () => {
  const { server: proxy, port } = await startProxy();
  const keys = { endpoint: 'http://nowhere.test', proxy_url: `http://user:secret@127.0.0.1:${port}` };
  const [finding] = await findingsOf(otlpHttpExporter, keys);
  expect(finding?.what).toContain(`through the proxy 127.0.0.1:${port}`);
  stop(proxy);
  const failure = await send({ ...keys, endpoint: 'https://nowhere.test' }).catch((error: unknown) => error);
  expect(String(failure)).toContain(`the proxy 127.0.0.1:${port} cannot be reached`);
  expect(inspect([finding, failure, v.parse(otlpHttpExporterConfig, keys)], { depth: 9 })).not.toContain('secret');
});

it.each(['socks5://proxy:1080', 'proxy:3128', 'http://'])('refuses the proxy_url %s', (proxy_url) => {
  const { issues } = v.safeParse(otlpHttpExporterConfig, { endpoint: 'http://a.test', proxy_url });
  expect(issues?.[0]?.message).toContain('must be the URL of an HTTP proxy');
});

it('keeps at most max_conns_per_host connections, and closes them after idle_conn_timeout', async () => {
  const sockets = new Set<Socket>();
  let most = 0;
  const backend = createServer((request, response) => {
    request.resume();
    setTimeout(() => response.end(), 20);
  });
  backend.on('connection', (socket) => {
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    socket.on('close', () => sockets.delete(socket));
  });
  const endpoint = `http://127.0.0.1:${await listening(backend)}`;
  const config = v.parse(otlpHttpExporterConfig, { endpoint, max_conns_per_host: 2, idle_conn_timeout: '50ms' });
  const exporter = otlpHttpExporter.create(componentSettings('exporter', 'otlp_http').settings, config);
  await exporter.start(hostWith());
  await Promise.all(Array.from({ length: 8 }, () => exporter.consume(spansBatch(['a']))));
  expect(most).toBe(2);
  await expect.poll(() => sockets.size).toBe(0);
  await exporter.shutdown(AbortSignal.timeout(1000));

  await send({ endpoint, disable_keep_alives: true });
  await expect.poll(() => sockets.size).toBe(0);
  stop(backend);
});

/** The connection of `sentry` to a server with a private authority, and through proxies. */
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { inspect } from 'node:util';
import * as v from 'valibot';
import { afterEach, expect, it, vi } from 'vitest';
import { sentryExporterConfig } from '../../../../src/components/exporters/sentry/config.ts';
import { root, startExporter } from '../../../../src/components/exporters/sentry/exporter-under-test.ts';
import { sentryExporter } from '../../../../src/components/exporters/sentry/factory.ts';
import { findingsOf } from '../../../support/components/findings.ts';
import { listening, startProxy, stop } from '../../../support/network/forward-proxy.ts';
import { hasOpenssl, SelfSignedCertificates } from '../../../support/network/self-signed-certificates.ts';
import { batchOfSpans } from '../../../support/otlp/otlp-spans.ts';

const ENVELOPES = '/api/1/envelope/';

afterEach(() => void vi.unstubAllEnvs());

function acceptInto(seen: string[]): RequestListener {
  return (request, response) => {
    seen.push(request.url as string);
    request.resume();
    response.end('{}');
  };
}

/** Sends one trace. Resolves with the numbers of its sent and lost transactions and with the log. */
async function send(dsn: string, keys: Readonly<Record<string, unknown>>) {
  const retry_on_failure = { enabled: false };
  const { exporter, lines, counts, stop: end } = await startExporter(dsn, { retry_on_failure, ...keys });
  await exporter.consume(batchOfSpans([root]));
  await end();
  const counted = await counts();
  return { sent: counted.get('transaction'), lost: counted.get('transaction network_error'), log: inspect(lines) };
}

it.skipIf(!hasOpenssl)('trusts the authority of tls.ca_file, directly and in a tunnel through proxy_url', async () => {
  using certificates = new SelfSignedCertificates('server');
  const { server: proxy, seen: tunnels, port } = await startProxy();
  const identity = { cert: certificates.read('server.pem'), key: certificates.read('server.key') };
  const envelopes: string[] = [];
  const sentry = createHttpsServer(identity, acceptInto(envelopes));
  const address = `127.0.0.1:${await listening(sentry)}`;
  const dsn = `https://key@${address}/1`;
  const tls = { ca_file: certificates.file('server.pem') };

  const untrusted = await send(dsn, {});
  expect(untrusted).toMatchObject({ sent: 0, lost: 1 });
  expect(untrusted.log).toContain('self-signed');
  expect(envelopes).toEqual([]);

  expect(await send(dsn, { tls })).toMatchObject({ sent: 1, lost: 0 });
  expect(envelopes).toEqual([ENVELOPES]);
  expect(tunnels).toEqual([]);

  const proxy_url = `http://user:p%40ss@127.0.0.1:${port}`;
  expect(await send(dsn, { tls, proxy_url })).toMatchObject({ sent: 1, lost: 0 });
  expect(envelopes).toEqual([ENVELOPES, ENVELOPES]);
  const authorization = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
  expect(tunnels).toEqual([{ line: `CONNECT ${address}`, authorization }]);
  stop(proxy, sentry);
});

it('sends through the proxy of the environment', async () => {
  const requests: string[] = [];
  const proxy = createServer(acceptInto(requests));
  vi.stubEnv('http_proxy', `http://127.0.0.1:${await listening(proxy)}`);
  vi.stubEnv('no_proxy', '');
  expect(await send('http://key@sentry.test/1', {})).toMatchObject({ sent: 1, lost: 0 });
  expect(requests).toEqual([`http://sentry.test${ENVELOPES}`]);
  stop(proxy);
});

it('names the proxy in findings and errors, without its credentials', async () => {
  const proxy = createServer();
  const host = `127.0.0.1:${await listening(proxy)}`;
  stop(proxy);
  const keys = { dsn: 'https://key@sentry.test/1', proxy_url: `http://user:secret@${host}` };
  const [finding] = await findingsOf(sentryExporter, keys);
  expect(finding?.what).toContain(host);
  const { lost, log } = await send(keys.dsn, keys);
  expect(lost).toBe(1);
  expect(log).toContain(`the proxy ${host} cannot be reached`);
  expect(inspect([finding, log, v.parse(sentryExporterConfig, keys)], { depth: 9 })).not.toContain('secret');
});

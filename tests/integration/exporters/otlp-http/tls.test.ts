import { once } from 'node:events';
import { createServer, type ServerOptions } from 'node:https';
import { hostWith } from '../../../support/components/host-with.ts';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { otlpHttpExporterConfig } from '../../../../src/components/exporters/otlp-http/config.ts';
import { otlpHttpExporter } from '../../../../src/components/exporters/otlp-http/factory.ts';
import { spansBatch } from '../../../support/components/batches.ts';
import { componentSettings } from '../../../support/components/component-settings.ts';
import { hasOpenssl, SelfSignedCertificates } from '../../../support/network/self-signed-certificates.ts';

const batch = spansBatch(['a']);

/** A server with the certificate `server` that accepts every request, and reports the identity of its clients. */
async function startServer(certificates: SelfSignedCertificates, options: ServerOptions = {}) {
  const clients: unknown[] = [];
  const identity = { cert: certificates.read('server.pem'), key: certificates.read('server.key') };
  const server = createServer({ ...identity, ...options }, (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    clients.push(subject?.CN);
    request.resume();
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    clients,
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends one batch with these `tls` keys. */
async function send(endpoint: string, tls: Readonly<Record<string, unknown>>): Promise<void> {
  const exporter = otlpHttpExporter.create(
    componentSettings('exporter', 'otlp_http').settings,
    v.parse(otlpHttpExporterConfig, { endpoint, tls }),
  );
  await exporter.start(hostWith());
  try {
    await exporter.consume(batch);
  } finally {
    await exporter.shutdown(AbortSignal.timeout(1000));
  }
}

describe.skipIf(!hasOpenssl)('the otlp_http exporter with certificates', () => {
  let certificates: SelfSignedCertificates;
  beforeAll(() => void (certificates = new SelfSignedCertificates('server', 'client', 'stranger')));
  afterAll(() => certificates[Symbol.dispose]());

  it('sends nothing to a server that it has no reason to trust', async () => {
    await using server = await startServer(certificates);
    for (const tls of [{}, { ca_file: certificates.file('stranger.pem') }]) {
      await expect(send(server.url, tls)).rejects.toMatchObject({
        name: 'RetryableError',
        code: 'network_error',
        message: expect.stringContaining('self-signed'),
      });
    }
    expect(server.clients).toEqual([]);
  });

  it.each([
    ['ca_file', () => ({ ca_file: certificates.file('server.pem') })],
    ['insecure_skip_verify', () => ({ insecure_skip_verify: true })],
  ])('trusts a server because of %s', async (_, tls) => {
    await using server = await startServer(certificates);
    await send(server.url, tls());
    expect(server.clients).toHaveLength(1);
  });

  it('shows its own certificate to a server that asks for one', async () => {
    const ca = certificates.read('client.pem');
    await using server = await startServer(certificates, { requestCert: true, rejectUnauthorized: true, ca });
    const trust = { ca_file: certificates.file('server.pem') };
    await expect(send(server.url, trust)).rejects.toMatchObject({ code: 'network_error' });
    for (const name of ['stranger', 'client']) {
      const own = { cert_file: certificates.file(`${name}.pem`), key_file: certificates.file(`${name}.key`) };
      const sending = send(server.url, { ...trust, ...own });
      if (name === 'client') await sending;
      else await expect(sending).rejects.toMatchObject({ code: 'network_error' });
    }
    expect(server.clients).toEqual(['client']);
  });

  it.each(['ca_file', 'both'])('does not start with a missing file: %s', async (which) => {
    const path = certificates.file('missing.pem');
    const tls = which === 'both' ? { cert_file: path, key_file: path } : { ca_file: path };
    await expect(send('https://127.0.0.1:1', tls)).rejects.toThrow(`the TLS file ${path} cannot be read`);
  });
});

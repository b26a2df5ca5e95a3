import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerOptions } from 'node:https';
import { hostWith } from '../../../support/components/host-with.ts';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { otlpHttpExporterConfig } from '../../../../src/components/exporters/otlp-http/config.ts';
import { otlpHttpExporter } from '../../../../src/components/exporters/otlp-http/factory.ts';
import { spansBatch } from '../../../support/components/batches.ts';
import { componentSettings } from '../../../support/components/component-settings.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { hasOpenssl, SelfSignedCertificates } from '../../../support/network/self-signed-certificates.ts';

const batch = spansBatch(['a']);

const run = promisify(execFile);

/** A server with the certificate `server` that accepts every request, and reports the identity of its clients. */
async function startServer(certificates: SelfSignedCertificates, options: ServerOptions = {}) {
  const clients: unknown[] = [];
  const connections: string[] = [];
  const identity = { cert: certificates.read('server.pem'), key: certificates.read('server.key') };
  const server = createServer({ ...identity, ...options }, (request, response) => {
    const socket = request.socket as TLSSocket & { readonly servername?: string };
    const { subject } = socket.getPeerCertificate();
    connections.push(`${socket.servername || 'no name'} ${socket.getProtocol()} ${socket.getCipher().name}`);
    clients.push(subject?.CN);
    request.resume();
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    clients,
    connections,
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
    ['ca_pem', () => ({ ca_pem: certificates.read('server.pem').toString() })],
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

  it('shows a certificate that is part of the configuration', async () => {
    const ca = certificates.read('client.pem');
    await using server = await startServer(certificates, { requestCert: true, rejectUnauthorized: true, ca });
    const [cert_pem, key_pem] = ['client.pem', 'client.key'].map((name) => certificates.read(name).toString());
    await send(server.url, { ca_file: certificates.file('server.pem'), cert_pem, key_pem });
    expect(server.clients).toEqual(['client']);
  });

  it('expects the certificate of server_name_override, and sends this name', async () => {
    await using server = await startServer(certificates);
    const trust = { ca_file: certificates.file('server.pem') };
    for (const name of ['other.test', '10.0.0.1']) {
      await expect(send(server.url, { ...trust, server_name_override: name })).rejects.toThrow(name);
    }
    await send(server.url, { ...trust, server_name_override: 'server.test' });
    const byName = server.url.replace('127.0.0.1', 'localhost');
    await expect(send(byName, trust)).rejects.toThrow('localhost');
    await send(byName, { ...trust, server_name_override: '127.0.0.1' });
    expect(server.connections.map((text) => text.replace(/ TLS.*/, ''))).toEqual(['server.test', 'no name']);
  });

  it.each([
    ['max_version', { max_version: '1.2' }, 'TLSv1.2 ECDHE-ECDSA-AES'],
    ['min_version', { min_version: 1.3 }, 'TLSv1.3 TLS_AES'],
    [
      'cipher_suites',
      { max_version: '1.2', cipher_suites: ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'] },
      'TLSv1.2 ECDHE-ECDSA-CHACHA20-POLY1305',
    ],
    // The key has no effect on TLS 1.3, as in Go.
    ['ciphers of 1.2', { cipher_suites: ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA'] }, 'TLSv1.3 TLS_AES'],
  ])('connects within the limits of %s', async (_, limits, expected) => {
    await using server = await startServer(certificates);
    await send(server.url, { ca_file: certificates.file('server.pem'), ...limits });
    expect(server.connections).toEqual([expect.stringContaining(expected)]);
  });

  it.each([
    ['min_version', { maxVersion: 'TLSv1.2' }, { min_version: '1.3' }],
    ['max_version', { minVersion: 'TLSv1.3' }, { max_version: '1.2' }],
    ['cipher_suites', { maxVersion: 'TLSv1.2' }, { cipher_suites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'] }],
    ['curve_preferences', { ecdhCurve: 'P-384' }, { curve_preferences: ['X25519', 'P256'] }],
  ] as const)('does not connect beyond the limits of %s', async (_, options, limits) => {
    await using server = await startServer(certificates, options);
    const trust = { ca_file: certificates.file('server.pem') };
    await expect(send(server.url, { ...trust, ...limits })).rejects.toMatchObject({ code: 'network_error' });
    await send(server.url, trust);
  });

  it('uses changed files after reload_interval, and keeps the previous ones if they cannot be used', async () => {
    const ca = ['client', 'stranger'].map((name) => certificates.read(`${name}.pem`));
    await using server = await startServer(certificates, { requestCert: true, rejectUnauthorized: true, ca });
    const become = (name: string): void => {
      for (const kind of ['pem', 'key'])
        copyFileSync(certificates.file(`${name}.${kind}`), certificates.file(`own.${kind}`));
    };
    become('client');
    const { settings, lines } = componentSettings('exporter', 'otlp_http');
    const own = { cert_file: certificates.file('own.pem'), key_file: certificates.file('own.key') };
    const tls = { ca_file: certificates.file('server.pem'), ...own, reload_interval: '20ms' };
    const exporter = otlpHttpExporter.create(settings, v.parse(otlpHttpExporterConfig, { endpoint: server.url, tls }));
    await exporter.start(hostWith());
    const client = async (): Promise<unknown> => {
      await exporter.consume(batch);
      return server.clients.at(-1);
    };
    expect(await client()).toBe('client');
    writeFileSync(certificates.file('own.key'), 'broken');
    await waitFor(() => lines.some(({ msg }) => String(msg).startsWith('The certificate could not be reloaded')), {
      what: 'the log line',
    });
    expect(await client()).toBe('client');
    become('stranger');
    await waitFor(async () => (await client()) === 'stranger', { what: 'the new certificate' });
    expect(lines.map(({ msg }) => msg)).toContain('The certificate was reloaded');
    await exporter.shutdown(AbortSignal.timeout(1000));
  });

  it('trusts the authorities of the system, with include_system_ca_certs_pool in addition to its own', async () => {
    await using server = await startServer(certificates);
    const stranger = certificates.file('stranger.pem');
    const outcome = async (tls: object): Promise<string> => {
      const script = `
        import { HttpClient } from './src/engine/net/http-client.ts';
        import { readClientTls } from './src/engine/net/client-tls.ts';
        import { clientTlsConfig } from './src/engine/schema/tls.ts';
        import * as v from 'valibot';
        const client = new HttpClient({ tls: await readClientTls(v.parse(clientTlsConfig, ${JSON.stringify(tls)})) });
        const request = { url: new URL('${server.url}'), headers: {}, chunks: [], timeoutMs: 5000, signal: AbortSignal.timeout(5000) };
        console.log(await client.post(request).then(({ status }) => status, ({ code }) => code));
        client.close();`;
      const env = {
        PATH: process.env['PATH'],
        SSL_CERT_FILE: certificates.file('server.pem'),
        SSL_CERT_DIR: '/nowhere',
      };
      const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { env });
      return stdout.trim();
    };
    const all = [{}, { ca_file: stranger }, { ca_file: stranger, include_system_ca_certs_pool: true }].map(outcome);
    expect(await Promise.all(all)).toEqual(['200', 'DEPTH_ZERO_SELF_SIGNED_CERT', '200']);
  });

  it.each([
    ['ca_file', 'tls.ca_file contains no certificate in PEM'],
    ['ca_pem', 'tls.ca_pem contains no certificate in PEM'],
    ['cert_file', 'tls.cert_file contains no certificate in PEM'],
  ])('does not start with %s that is not a certificate', async (key, message) => {
    const file = certificates.file('garbage.pem');
    writeFileSync(file, key === 'cert_file' ? '' : 'garbage');
    const own = key === 'cert_file' ? { key_file: file } : {};
    const tls = { ...own, [key]: key === 'ca_pem' ? 'garbage' : file };
    await expect(send('https://127.0.0.1:1', tls)).rejects.toThrow(message);
  });

  it.each([
    [{ ca_file: 'a', ca_pem: 'b' }, 'both as a file and as PEM'],
    [{ cert_file: 'a', cert_pem: 'b', key_file: 'c' }, 'both as a file and as PEM'],
    [{ cert_pem: 'a' }, 'needs cert_file and key_file'],
    [{ min_version: '1.3', max_version: '1.2' }, 'min_version above its max_version'],
    [{ min_version: '1.0' }, 'must be "1.2" or "1.3"'],
    [{ cipher_suites: ['TLS_RSA_WITH_RC4_128_SHA'] }, 'must be a cipher that Go considers safe'],
  ])('refuses %j', (tls, message) => {
    const { issues = [] } = v.safeParse(otlpHttpExporterConfig, { endpoint: 'https://a.test', tls });
    expect(issues.map((issue) => issue.message).join()).toContain(message);
  });

  it('treats empty texts as absent', () => {
    const keys = ['ca_file', 'ca_pem', 'cert_file', 'cert_pem', 'key_file', 'key_pem', 'server_name_override'];
    const tls = Object.fromEntries(keys.map((key) => [key, '']));
    expect(v.safeParse(otlpHttpExporterConfig, { endpoint: 'https://a.test', tls }).issues).toBeUndefined();
  });

  it.each(['ca_file', 'both'])('does not start with a missing file: %s', async (which) => {
    const path = certificates.file('missing.pem');
    const tls = which === 'both' ? { cert_file: path, key_file: path } : { ca_file: path };
    await expect(send('https://127.0.0.1:1', tls)).rejects.toThrow(`${path} cannot be read`);
  });
});

import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { serverTlsConfig } from '../schema/tls.ts';
import { listeningFindings, reachingFinding } from './endpoint-findings.ts';
import { collected } from '../../../tests/support/components/findings.ts';
import { hasOpenssl, SelfSignedCertificates } from '../../../tests/support/network/self-signed-certificates.ts';

const timeoutMs = 2000;
const anyPort = { host: '127.0.0.1', port: 0 };

it('distinguishes a free address, one in use and one of another machine', async () => {
  const free = await listening();
  const port = portOf(free);
  await closed(free);
  expect(await collected(listeningFindings({ endpoint: { host: '127.0.0.1', port } }))).toEqual([
    { severity: 'ok', what: `127.0.0.1:${port} is free` },
  ]);
  await using taken = await listening();
  expect(await collected(listeningFindings({ endpoint: { host: '127.0.0.1', port: portOf(taken) } }))).toMatchObject([
    {
      severity: 'warning',
      what: `127.0.0.1:${portOf(taken)} is already in use`,
      repair: expect.stringMatching(/^This is expected if/),
    },
  ]);
  expect(await collected(listeningFindings({ endpoint: { host: '203.0.113.1', port: 4318 } }))).toMatchObject([
    { severity: 'error', what: expect.stringContaining('is not an address of this machine') },
  ]);
});

it('names a file of its TLS that cannot be read', async () => {
  const tls = v.parse(serverTlsConfig, { cert_file: '/nowhere/cert.pem', key_file: '/nowhere/key.pem' });
  const [, unreadable] = await collected(listeningFindings({ endpoint: anyPort, tls }));
  expect(unreadable).toMatchObject({ severity: 'error', what: expect.stringContaining('tls.cert_file: /nowhere') });
});

it('distinguishes a server that accepts connections from one that refuses them', async () => {
  const server = await listening();
  const url = new URL(`http://127.0.0.1:${portOf(server)}/v1/traces?token=secret`);
  expect(await reachingFinding(url, { timeoutMs })).toMatchObject({ severity: 'ok' });
  await closed(server);
  const refused = await reachingFinding(url, { timeoutMs });
  expect(refused).toMatchObject({
    severity: 'error',
    what: expect.stringMatching(/cannot be reached: .*ECONNREFUSED/),
  });
  expect(refused.what).not.toContain('secret');
});

it.skipIf(!hasOpenssl)('distinguishes a trusted certificate from an untrusted one, and from silence', async () => {
  using certificates = new SelfSignedCertificates('server');
  const [cert, key] = [certificates.read('server.pem'), certificates.read('server.key')];
  await using server = createTlsServer({ cert, key }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(`https://127.0.0.1:${portOf(server)}`);
  expect(
    await reachingFinding(url, { timeoutMs, tls: { secureContext: createSecureContext({ ca: cert }) } }),
  ).toMatchObject({ severity: 'ok' });
  expect(await reachingFinding(url, { timeoutMs })).toMatchObject({
    severity: 'error',
    what: expect.stringContaining('self-signed certificate'),
  });
  await using silent = await listening();
  expect(await reachingFinding(new URL(`https://127.0.0.1:${portOf(silent)}`), { timeoutMs: 100 })).toMatchObject({
    severity: 'error',
    what: expect.stringContaining('no answer within 100 ms'),
  });
});

async function listening(): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

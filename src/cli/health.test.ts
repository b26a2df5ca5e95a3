import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { hasOpenssl, SelfSignedCertificates } from '../../tests/support/network/self-signed-certificates.ts';
import { runCommand } from '../../tests/support/processes/run-command.ts';

it.each(['', '0.0.0.0', '[::]', '[::0]', '127.0.0.1', 'localhost'])('asks a health_check at "%s"', async (host) => {
  await using server = createServer((_, response) => response.end()).listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const config = `yaml:
    exporters: {debug: }
    receivers: {otlp: {protocols: {http: }}}
    extensions: {health_check: {endpoint: "${host}:${port}"}}
    service: {extensions: [health_check], pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}`;
  const { exitCode, errors } = await runCommand(['health', '--config', config]);
  expect(errors).toBe('');
  expect(exitCode).toBe(0);
});

it.skipIf(!hasOpenssl)('asks a health_check with TLS', async () => {
  using certificates = new SelfSignedCertificates('server');
  const files = { cert: certificates.read('server.pem'), key: certificates.read('server.key') };
  await using server = createTlsServer(files, (_, response) => response.end()).listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const tls = `{cert_file: ${certificates.file('server.pem')}, key_file: ${certificates.file('server.key')}}`;
  const config = `yaml:
    exporters: {debug: }
    receivers: {otlp: {protocols: {http: }}}
    extensions: {health_check: {endpoint: ":${port}", tls: ${tls}}}
    service: {extensions: [health_check], pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}`;
  expect(await runCommand(['health', '--config', config])).toMatchObject({ exitCode: 0, errors: '' });
});

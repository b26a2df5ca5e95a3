import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { createServer as createHttpsServer, get as getHttps } from 'node:https';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { hasOpenssl, SelfSignedCertificates } from '../../../tests/support/network/self-signed-certificates.ts';
import { close, endBy, listen } from './http-server.ts';

function greeter(): Server {
  return createServer((_request, response) => response.end('hello'));
}

async function greetingAt(host: string, port: number): Promise<string> {
  const [response] = await once(get({ host, port, agent: false }), 'response');
  let text = '';
  for await (const part of response) text += String(part);
  return text;
}

it.each(['localhost', '0.0.0.0', '', '::'])('serves %s over IPv4 and IPv6', async (host) => {
  const server = greeter();
  const { port } = await listen(server, { host, port: 0 });
  expect(await greetingAt('127.0.0.1', port)).toBe('hello');
  expect(await greetingAt('::1', port)).toBe('hello');
  await close(server, AbortSignal.timeout(1000));
  for (const address of ['127.0.0.1', '::1'])
    await expect(greetingAt(address, port), address).rejects.toThrow('ECONNREFUSED');
});

it('serves an address on that address only', async () => {
  const server = greeter();
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  await expect(greetingAt('::1', port)).rejects.toThrow('ECONNREFUSED');
  await close(server, AbortSignal.abort());
});

it('waits for the connections of every address, and cuts them off at the deadline', async () => {
  const server = greeter();
  const { port } = await listen(server, { host: 'localhost', port: 0 });
  const half = ['127.0.0.1', '::1'].map((host) => connect({ host, port }).on('error', () => undefined));
  await Promise.all(half.map((socket) => once(socket, 'connect')));
  for (const socket of half) socket.write('POST / HTTP/1.1\r\n');
  await expect.poll(() => server.listening).toBe(true);
  const ended = Promise.all(half.map((socket) => once(socket, 'close')));
  await close(server, AbortSignal.timeout(50));
  await ended;
});

it('binds nothing if one family is in use', async () => {
  const other = createTcpServer().listen({ host: '::1', port: 0 });
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const server = greeter();
  await expect(listen(server, { host: 'localhost', port })).rejects.toThrow(`localhost:${port} is already in use`);
  await expect(greetingAt('127.0.0.1', port)).rejects.toThrow('ECONNREFUSED');
  other.close();
});

it('passes connections of further addresses to HTTP/2 servers', async () => {
  const http2 = createHttp2Server().on('stream', (stream) => stream.respond({ ':status': 204 }, { endStream: true }));
  const { port } = await listen(http2, { host: 'localhost', port: 0 });
  for (const authority of [`http://127.0.0.1:${port}`, `http://[::1]:${port}`]) {
    const session = connectHttp2(authority);
    const [headers] = await once(session.request(), 'response');
    expect(headers[':status']).toBe(204);
    session.destroy();
  }
  await endBy(http2, AbortSignal.abort(), { end: () => undefined, cutOff: () => undefined });
});

it.skipIf(!hasOpenssl)('passes connections of further addresses to TLS servers', async () => {
  using certificates = new SelfSignedCertificates('server');
  const [cert, key] = [certificates.read('server.pem'), certificates.read('server.key')];
  const server = createHttpsServer({ cert, key }, (_request, response) => response.end('hello'));
  const { port } = await listen(server, { host: 'localhost', port: 0 });
  for (const host of ['127.0.0.1', '::1']) {
    const [response] = await once(getHttps({ host, port, ca: cert, agent: false, checkServerIdentity: () => undefined }), 'response'); // prettier-ignore
    expect(response.statusCode).toBe(200);
    response.resume();
  }
  await close(server, AbortSignal.timeout(1000));
});

import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { hasOpenssl, SelfSignedCertificates } from '../../../tests/support/network/self-signed-certificates.ts';
import { HttpClient, type HttpClientOptions } from './http-client.ts';
import { proxyFor } from './proxy-settings.ts';

/** A name of this machine that is not loopback by its form, so that the rules for proxies apply. */
const HOST = 'proxied.test';

interface Seen {
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

class TestServer implements AsyncDisposable {
  readonly seen: readonly Seen[];
  readonly #server: Server;

  private constructor(server: Server, seen: readonly Seen[]) {
    this.#server = server;
    this.seen = seen;
  }

  static async start(
    answer: RequestListener,
    create: (listener: RequestListener) => Server = createServer,
  ): Promise<TestServer> {
    const seen: Seen[] = [];
    const server = create((request, response) => {
      let body = '';
      request.on('data', (part) => (body += String(part)));
      request.on('end', () => {
        seen.push({ url: request.url, headers: request.headers, body });
        answer(request, response);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TestServer(server, seen);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  onConnect(listener: (request: IncomingMessage, socket: Socket) => void): void {
    this.#server.on('connect', listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const ok: RequestListener = (_request, response) => response.end('ok');

async function post(
  url: string,
  options: HttpClientOptions = {},
  headers: Record<string, string> = {},
): Promise<string> {
  const client = new HttpClient({ environment: {}, ...options });
  const request = { url: new URL(url), headers, chunks: [Buffer.from('body')], timeoutMs: 5000 };
  const { status, body } = await client.post({ ...request, signal: AbortSignal.timeout(5000) });
  client.close();
  return `${status} ${body.toString()}`;
}

it.each([
  ['endless', 1000, 500],
  ['dripping', 0, 200],
])('does not wait for the end of an answer that is %s', async (_, maxAnswerBytes, status) => {
  let sent = 0;
  await using server = await TestServer.start((_request, response) => {
    response.writeHead(status).flushHeaders();
    if (maxAnswerBytes === 0) return;
    const write = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(10_000))) sent += 10_000;
      response.once('drain', write);
    };
    write();
  });
  expect(await post(`http://127.0.0.1:${server.port}/`, { maxAnswerBytes })).toMatch(
    new RegExp(`^${status} \\0{${maxAnswerBytes}}$`),
  );
  expect(sent).toBeLessThan(20_000_000);
});

it.each([307, 308])('follows %d once, with the body', async (status) => {
  await using target = await TestServer.start(ok);
  await using server = await TestServer.start((_request, response) => {
    response.writeHead(status, { location: `http://127.0.0.1:${target.port}/new?a=1` }).end();
  });
  expect(await post(`http://127.0.0.1:${server.port}/old`, {}, { authorization: 'secret' })).toBe('200 ok');
  expect(target.seen).toMatchObject([{ url: '/new?a=1', body: 'body', headers: { authorization: 'secret' } }]);
});

it('does not follow a second time, to another scheme, or without a location', async () => {
  await using loop = await TestServer.start((_request, response) =>
    response.writeHead(307, { location: '/again' }).end(),
  );
  expect(await post(`http://127.0.0.1:${loop.port}/`)).toBe('307 ');
  expect(loop.seen).toHaveLength(2);
  for (const location of ['file:///etc/passwd', 'http://[', '']) {
    await using server = await TestServer.start((_request, response) => response.writeHead(307, { location }).end());
    expect(await post(`http://127.0.0.1:${server.port}/`)).toBe('307 ');
  }
});

it('does not send credentials to another host', async () => {
  await using target = await TestServer.start(ok);
  await using server = await TestServer.start((_request, response) => {
    response.writeHead(308, { location: `http://localhost:${target.port}/` }).end();
  });
  const headers = { 'x-api-key': 'secret', 'content-type': 'application/x-protobuf' };
  expect(await post(`http://127.0.0.1:${server.port}/`, {}, headers)).toBe('200 ok');
  expect(target.seen[0]?.headers).toMatchObject({ 'content-type': 'application/x-protobuf' });
  expect(target.seen[0]?.headers).not.toHaveProperty('x-api-key');
});

it('sends http through the proxy of the environment, with its credentials', async () => {
  await using proxy = await TestServer.start(ok);
  const environment = { HTTP_PROXY: `http://user:p%40ss@127.0.0.1:${proxy.port}` };
  expect(await post(`http://${HOST}:81/v1/traces?a=1`, { environment })).toBe('200 ok');
  const authorization = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
  expect(proxy.seen).toMatchObject([
    {
      url: `http://${HOST}:81/v1/traces?a=1`,
      body: 'body',
      headers: { host: `${HOST}:81`, 'proxy-authorization': authorization },
    },
  ]);
  expect(proxy.seen[0]?.headers).not.toHaveProperty('authorization');
});

it.skipIf(!hasOpenssl)('sends https through a tunnel of the proxy, and checks the certificate', async () => {
  using certificates = new SelfSignedCertificates('server');
  const [cert, key] = [certificates.read('server.pem'), certificates.read('server.key')];
  await using target = await TestServer.start(ok, (listener) => createHttpsServer({ cert, key }, listener));
  await using proxy = await TestServer.start(ok);
  const asked: (string | undefined)[] = [];
  proxy.onConnect(({ url }, socket) => {
    asked.push(url);
    const onward = connect(target.port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    for (const one of [socket, onward]) one.on('error', () => undefined);
    socket.pipe(onward).pipe(socket);
  });
  const environment = { https_proxy: `127.0.0.1:${proxy.port}` };
  expect(await post(`https://${HOST}/v1`, { environment, tls: { rejectUnauthorized: false } })).toBe('200 ok');
  await expect(post(`https://${HOST}/v1`, { environment })).rejects.toThrow('self-signed certificate');
  expect(asked).toEqual([`${HOST}:443`, `${HOST}:443`]);
});

const through = (port: number): Promise<string> =>
  post(`https://${HOST}/`, { environment: { HTTPS_PROXY: `http://u:secret@127.0.0.1:${port}` } });

it('names the proxy if it refuses a tunnel or cannot be reached', async () => {
  await using proxy = await TestServer.start(ok);
  proxy.onConnect((_request, socket) => void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
  await expect(through(proxy.port)).rejects.toThrow(`the proxy 127.0.0.1:${proxy.port} answered 407 to CONNECT`);
  await expect(through(1)).rejects.toThrow('the proxy 127.0.0.1:1 cannot be reached');
  await expect(through(1)).rejects.not.toThrow('secret');
});

const ALL = { HTTP_PROXY: 'http://p:1', HTTPS_PROXY: 'https://q:2' };

it.each([
  ['http://a.test/', {}, 'http://p:1/'],
  ['https://a.test/', {}, 'https://q:2/'],
  ['http://localhost:4318/', {}, undefined],
  ['http://127.0.0.1:4318/', {}, undefined],
  ['http://[::1]:4318/', {}, undefined],
  ['http://a.test/', { NO_PROXY: '*' }, undefined],
  ['http://a.test/', { no_proxy: 'b.test, a.test' }, undefined],
  ['http://x.a.test/', { NO_PROXY: 'a.test' }, undefined],
  ['http://a.test/', { NO_PROXY: '.a.test' }, 'http://p:1/'],
  ['http://x.a.test/', { NO_PROXY: '*.a.test' }, undefined],
  ['http://xa.test/', { NO_PROXY: 'a.test' }, 'http://p:1/'],
  ['http://a.test:81/', { NO_PROXY: 'a.test:80' }, 'http://p:1/'],
  ['http://a.test/', { NO_PROXY: 'a.test:80' }, undefined],
  ['http://10.1.2.3/', { NO_PROXY: '10.0.0.0/8' }, undefined],
  ['http://11.1.2.3/', { NO_PROXY: '10.0.0.0/8,10.0.0.0/99,/8,::/0' }, 'http://p:1/'],
  ['http://[fd00::1]/', { NO_PROXY: 'fd00::/8' }, undefined],
  ['http://[fd00::1]:81/', { NO_PROXY: '[fd00::1]:81' }, undefined],
  ['http://a.test/', { http_proxy: '' }, undefined],
] as const)('proxy of %s with %j: %s', (url, environment, proxy) => {
  expect(proxyFor(new URL(url), { ...ALL, ...environment })?.href).toBe(proxy);
});

const invalid = (): unknown => proxyFor(new URL('http://a.test'), { HTTP_PROXY: 'socks5://u:secret@p' });

it('refuses a proxy that is not one, without its text', () => {
  expect(invalid).toThrow('HTTP_PROXY must be the URL of an HTTP proxy');
  expect(invalid).not.toThrow('secret');
});

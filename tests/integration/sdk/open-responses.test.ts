/** The ends of client spans that no event of the client shows. */
import { expect, it } from 'vitest';
import { plainAttributes } from '../../support/otlp/otlp-capture.ts';
import { hasOpenssl, SelfSignedCertificates } from '../../support/network/self-signed-certificates.ts';
import { runObserved } from '../../support/processes/observed-script.ts';

it('sends the span of an unread response when the process ends', async () => {
  await using run = await runObserved(
    `import { createServer, get } from 'node:http';
    import { once } from 'node:events';
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/failed' ? 503 : 200;
      response.end(Buffer.alloc(20_000_000));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = 'http://127.0.0.1:' + server.address().port;
    for (const path of ['/http', '/failed']) await once(get(url + path), 'response');
    globalThis.kept = await fetch(url + '/fetch');
    await (await fetch(url + '/read')).arrayBuffer();
    process.exit(0);`,
    { SIPHON_FLUSH_TIMEOUT_MS: '8000' },
  );
  expect(run).toMatchObject({ code: 0, stderr: '' });
  const calls = run.capture.spans().filter(({ kind }) => kind === 'SPAN_KIND_CLIENT');
  const ends = calls.map(({ attributes, status }) => {
    const {
      'url.full': url = '',
      'http.response.status_code': code,
      'error.type': error,
    } = plainAttributes(attributes);
    return [new URL(url).pathname, code, error, status?.code].filter((part) => part !== undefined).join(' ');
  });
  expect(ends.toSorted()).toEqual(['/failed 503 503 STATUS_CODE_ERROR', '/fetch 200', '/http 200', '/read 200']);
  const measured = run.capture.metrics().filter(({ name }) => name === 'http.client.request.duration');
  const counts = measured.flatMap(({ histogram }) => histogram?.data_points.map(({ count }) => Number(count)) ?? []);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(4);
});

it.skipIf(!hasOpenssl)('observes a request of fetch over HTTP/2 once', async () => {
  using certificates = new SelfSignedCertificates('server');
  const [key, cert] = ['server.key', 'server.pem'].map((name) => JSON.stringify(String(certificates.read(name))));
  await using run = await runObserved(
    `import { once } from 'node:events';
    import { createRequire } from 'node:module';
    const { createSecureServer } = createRequire('/')('node:http2');
    const server = createSecureServer({ key: ${key}, cert: ${cert} }, (request, response) => {
      console.log(request.httpVersion, request.headers.traceparent?.split('-').length);
      response.end('ok');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await fetch('data:,').catch(() => undefined);
    const { constructor: Agent } = globalThis[Symbol.for('undici.globalDispatcher.1')];
    const dispatcher = new Agent({ allowH2: true, connect: { rejectUnauthorized: false } });
    await (await fetch('https://127.0.0.1:' + server.address().port + '/', { dispatcher })).text();
    process.exit(0);`,
    // undici of Node 22 warns that its support of HTTP/2 is new.
    { SIPHON_FLUSH_TIMEOUT_MS: '8000', NODE_NO_WARNINGS: '1' },
  );
  expect(run).toMatchObject({ code: 0, stderr: '', stdout: '2.0 4\n' });
  expect(run.capture.spans().filter(({ kind }) => kind === 'SPAN_KIND_CLIENT')).toHaveLength(1);
});

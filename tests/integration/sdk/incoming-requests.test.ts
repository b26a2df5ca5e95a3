import { expect, it } from 'vitest';
import { plainAttributes } from '../../support/otlp/otlp-capture.ts';
import { runObserved } from '../../support/processes/observed-script.ts';

/** Each shape broke a service or its traces under some observer: doubled spans, lost contexts, warnings about listeners. */
it('runs every handler and listener of a request within its span, once, and leaves the request as it was', async () => {
  await using script = await runObserved(
    `import http from 'node:http';
    import { once } from 'node:events';
    import { connect } from 'node:net';
    import { trace } from '@opentelemetry/api';
    const active = () => trace.getActiveSpan()?.attributes?.['url.path'] ?? 'none';
    const seen = [];
    const see = (name) => {
      const span = trace.getActiveSpan();
      return () => seen.push(name + ' ' + (trace.getActiveSpan() === span ? 'inside' : 'outside'));
    };
    const inner = http.createServer((request, response) => {
      seen.push('handed over ' + active());
      response.end('ok');
    });
    class Response extends http.ServerResponse {}
    const server = http.createServer({ ServerResponse: Response }, (request, response) => {
      if (request.url === '/hand-over') return inner.emit('request', request, response);
      if (request.url === '/throws') throw new RangeError('no coffee');
      if (request.url === '/replaced') {
        const { emit } = response;
        response.emit = (...args) => emit.apply(response, args);
      }
      if (request.url === '/again') for (let i = 0; i < 8; i++) response.on('finish', () => undefined);
      seen.push('handler ' + active());
      for (const name of ['data', 'end', 'close']) request.on(name, see(request.method + ' request ' + name));
      for (const name of ['finish', 'close']) response.on(name, see(request.method + ' response ' + name));
      const names = [...Reflect.ownKeys(request), ...Reflect.ownKeys(response)].map(String);
      seen.push('own ' + names.filter((name) => ['emit', 'on', 'addListener'].includes(name)).join());
      request.on('end', () => response.end('ok'));
    });
    server.on('upgrade', (request, socket) => {
      seen.push('upgrade ' + active());
      socket.end('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: x\\r\\nConnection: Upgrade\\r\\n\\r\\n');
    });
    process.on('uncaughtException', () => undefined);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (path, method = 'GET') => new Promise((resolve) => {
      const request = http.request({ port, path, method, agent, timeout: 200 }, (response) => response.resume().on('close', resolve));
      request.on('timeout', () => request.destroy()).on('error', resolve).end(method === 'POST' ? 'body' : undefined);
    });
    await ask('/posted', 'POST');
    await ask('/again');
    await ask('/hand-over');
    await ask('/replaced');
    await ask('/throws');
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /upgraded HTTP/1.1\\r\\nHost: a\\r\\nConnection: Upgrade\\r\\nUpgrade: x\\r\\n\\r\\n');
    await once(socket.resume(), 'close');
    agent.destroy();
    server.close();
    server.closeAllConnections();
    console.log(JSON.stringify(seen));`,
    { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'undici' },
  );
  const { capture, stderr, stdout } = script;
  expect(stderr).toBe('');
  const seen = JSON.parse(stdout) as string[];
  expect(seen.filter((line) => !line.endsWith(' inside')).toSorted()).toEqual([
    'handed over /hand-over',
    'handler /again',
    'handler /posted',
    'handler /replaced',
    'own ',
    'own ',
    'own emit',
    'upgrade none',
  ]);
  expect(seen).toEqual(expect.arrayContaining(['POST request data inside', 'POST request end inside']));
  expect(seen.filter((line) => line === 'GET response close inside')).toHaveLength(2);
  const served = capture
    .spans()
    .filter(({ kind }) => kind === 'SPAN_KIND_SERVER')
    .map(({ attributes, events = [] }) => {
      const {
        'url.path': path,
        'http.response.status_code': status = '-',
        'error.type': error = '-',
      } = plainAttributes(attributes);
      return `${path} ${status} ${error} ${events.length}`;
    });
  expect(served.toSorted()).toEqual([
    '/again 200 - 0',
    '/hand-over 200 - 0',
    '/posted 200 - 0',
    '/replaced 200 - 0',
    '/throws - RangeError 1',
  ]);
});

it('makes a server span that a framework opens below that of the request an internal one, and no other', async () => {
  await using script = await runObserved(
    `import http from 'node:http';
    import { once } from 'node:events';
    import { SpanKind, trace } from '@opentelemetry/api';
    const tracer = trace.getTracer('framework');
    const work = (name, kind, body) => tracer.startActiveSpan(name, { kind }, (span) => {
      body?.();
      span.end();
    });
    const server = http.createServer((request, response) => {
      work('framework', SpanKind.SERVER, () => work('message', SpanKind.CONSUMER));
      response.end('ok');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    work('own server', SpanKind.SERVER);
    // The span of this call is of the same process.
    await (await fetch('http://127.0.0.1:' + server.address().port)).text();
    server.close();
    server.closeAllConnections();`,
  );
  const { capture, stderr } = script;
  expect(stderr).toBe('');
  expect(capture.spans().map(({ name, kind }) => `${kind.slice('SPAN_KIND_'.length)} ${name}`)).toEqual(
    expect.arrayContaining(['INTERNAL framework', 'CONSUMER message', 'SERVER GET', 'SERVER own server', 'CLIENT GET']),
  );
});

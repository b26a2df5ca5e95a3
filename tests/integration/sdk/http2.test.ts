import { expect, it } from 'vitest';
import { plainAttributes } from '../../support/otlp/otlp-capture.ts';
import { runObserved } from '../../support/processes/observed-script.ts';

function shown(attributes: Readonly<Record<string, string>>, ...names: readonly string[]): string {
  return names.map((name) => attributes[name] ?? '-').join(' ');
}

it('observes what a server of HTTP/2 answers, with both interfaces of Node', async () => {
  await using script = await runObserved(
    `import { connect, constants, createServer } from 'node:http2';
    import { once } from 'node:events';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { trace } from '@opentelemetry/api';
    const answers = {
      '/ok': (stream) => stream.respond({ ':status': 200 }),
      '/fails': (stream) => stream.respond({ ':status': 503 }),
    };
    const hangs = Promise.withResolvers();
    const byStream = createServer().on('stream', async (stream, headers) => {
      await sleep(1);
      trace.getActiveSpan()?.setAttribute('inside', headers[':path'].slice(0, 3));
      stream.on('error', () => undefined);
      if (headers[':path'] === '/hangs') return hangs.resolve();
      if (headers[':path'] === '/destroyed') return stream.destroy(new RangeError('no coffee'));
      answers[headers[':path'].split('?', 1)](stream);
      stream.end();
    });
    const byRequest = createServer((request, response) => {
      request.resume().on('end', () => {
        trace.getActiveSpan()?.setAttribute('inside', request.url.slice(0, 3)).setAttribute('http.route', '/items/:id');
        response.end('ok');
      });
    });
    const parent = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    async function ask(server, ...heads) {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const session = connect('http://127.0.0.1:' + server.address().port);
      await Promise.all(heads.map(async (head) => {
        const stream = session.request(head, { endStream: true }).on('error', () => undefined);
        if (head[':path'] === '/hangs') void hangs.promise.then(() => stream.close(constants.NGHTTP2_CANCEL));
        stream.resume();
        await new Promise((resolve) => stream.once('close', resolve));
      }));
      session.close();
      server.close();
    }
    await ask(byStream, { ':path': '/ok?token=1', ...parent }, ...['/fails', '/hangs', '/destroyed'].map((path) => ({ ':path': path })));
    await ask(byRequest, { ':path': '/items/1', ':method': 'POST' });`,
  );
  const { capture, stderr } = script;
  expect(stderr).toBe('');
  const spans = capture.spans().map((span) => ({ ...span, attributes: plainAttributes(span.attributes) }));
  const answered = spans.map(({ name, attributes, status }) => {
    const rest = shown(attributes, 'url.path', 'inside', 'http.response.status_code', 'error.type');
    return `${name} ${rest} ${status?.code ?? '-'}`;
  });
  expect(answered.toSorted()).toEqual([
    'GET /destroyed /de - connection_closed STATUS_CODE_ERROR',
    'GET /fails /fa 503 503 STATUS_CODE_ERROR',
    'GET /hangs /ha - connection_closed STATUS_CODE_ERROR',
    'GET /ok /ok 200 - -',
    'POST /items/:id /items/1 /it 200 - -',
  ]);
  expect(spans.find(({ attributes }) => attributes['url.path'] === '/ok')).toMatchObject({
    trace_id: '0af7651916cd43dd8448eb211c80319c',
    parent_span_id: 'b7ad6b7169203331',
    kind: 'SPAN_KIND_SERVER',
    attributes: { 'url.query': 'token=[Filtered]', 'network.protocol.version': '2', 'server.address': '127.0.0.1' },
  });
  const measured = capture
    .histogramAttributes('http.server.request.duration')
    .map((point) => shown(point, 'http.request.method', 'http.route', 'http.response.status_code', 'error.type'));
  expect(measured.toSorted()).toEqual([
    'GET - - connection_closed',
    'GET - 200 -',
    'GET - 503 503',
    'POST /items/:id 200 -',
  ]);
});

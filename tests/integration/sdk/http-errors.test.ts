import { expect, it } from 'vitest';
import { plainAttributes } from '../../support/otlp/otlp-capture.ts';
import { runObserved } from '../../support/processes/observed-script.ts';

it('names the kind of each failed request, and no status that was not sent', async () => {
  await using script = await runObserved(
    `import { createServer, get, request } from 'node:http';
    import { once } from 'node:events';
    const server = createServer((request, response) => {
      if (request.url === '/destroyed') request.socket.destroy();
      else if (request.url === '/cut') response.write('a', () => response.destroy());
      else if (request.url === '/ok') response.end('ok');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = 'http://127.0.0.1:' + server.address().port;
    const failed = async (path, options) => await fetch(url + path, options).then((r) => r.text()).catch(({ name }) => console.log(path, name));
    await failed('/ok');
    await failed('/timeout', { signal: AbortSignal.timeout(100), method: 'PUT' });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    await failed('/abort', { signal: controller.signal, method: 'POST' });
    await failed('/abort-with', { signal: AbortSignal.abort('reason 4711'), method: 'POST' });
    await failed('/destroyed', { method: 'DELETE' });
    await failed('/cut', { method: 'PATCH' });
    const aborted = (signal) => new Promise((resolve) => request(url, { method: 'OPTIONS', signal }).on('error', resolve).end());
    await aborted(AbortSignal.timeout(100));
    await aborted(AbortSignal.abort());
    await new Promise((resolve) => get('http://127.0.0.1:1/').on('error', ({ code }) => resolve(console.log(code))));
    server.close();
    server.closeAllConnections();`,
  );
  const { capture, stderr } = script;
  expect(stderr).toBe('');
  const points = (side: string): string[] =>
    [
      ...new Set(
        capture
          .histogramAttributes(`http.${side}.request.duration`)
          .map((point) =>
            ['http.request.method', 'http.response.status_code', 'error.type']
              .map((key) => point[key] ?? '-')
              .join(' '),
          ),
      ),
    ].toSorted();
  expect(points('client')).toEqual([
    'DELETE - UND_ERR_SOCKET',
    'GET - ECONNREFUSED',
    'GET 200 -',
    'OPTIONS - AbortError',
    'OPTIONS - TimeoutError',
    'PATCH 200 UND_ERR_SOCKET',
    'POST - AbortError',
    'PUT - TimeoutError',
  ]);
  expect(points('server')).toEqual([
    'DELETE - connection_closed',
    'GET 200 -',
    'OPTIONS - connection_closed',
    'PATCH - connection_closed',
    'POST - connection_closed',
    'PUT - connection_closed',
  ]);
  const spans = capture.spans().map(({ kind, name, attributes, status: { code = 'STATUS_CODE_UNSET' } = {} }) => {
    const { 'http.response.status_code': status = '-', 'error.type': error = '-' } = plainAttributes(attributes);
    return `${kind} ${name} ${status} ${error} ${code}`;
  });
  expect(spans).toContain('SPAN_KIND_CLIENT PUT - TimeoutError STATUS_CODE_ERROR');
  expect(spans, 'the application wanted it').toContain('SPAN_KIND_CLIENT POST - AbortError STATUS_CODE_UNSET');
  expect(spans).toContain('SPAN_KIND_SERVER DELETE - connection_closed STATUS_CODE_ERROR');
});

it('records the error of a request with its causes and without values of the database', async () => {
  await using script = await runObserved(
    `import { createServer, get } from 'node:http';
    import { once } from 'node:events';
    const error = Object.assign(
      new Error('invalid input syntax for type integer: "value-4711"', { cause: new TypeError('no beans') }),
      { severity: 'ERROR', code: '22P02' },
    );
    const server = createServer(() => stop());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = 'http://127.0.0.1:' + server.address().port;
    const controller = new AbortController();
    let stop = () => controller.abort(error);
    await fetch(url, { signal: controller.signal }).catch(() => undefined);
    const request = get(url);
    stop = () => request.destroy(error);
    await once(request, 'error').catch(() => undefined);
    server.close();
    server.closeAllConnections();`,
  );
  const spans = script.capture.spans().filter(({ kind }) => kind === 'SPAN_KIND_CLIENT');
  expect(JSON.stringify(spans)).not.toContain('value-4711');
  const message = 'invalid input syntax for type integer: "?"';
  const failed = {
    status: message,
    exceptions: [
      {
        'exception.type': 'Error',
        'exception.message': message,
        'exception.stacktrace': expect.stringMatching(
          /^Error: invalid [^]+: "\?"\n[^]* {2}\[cause\]: TypeError: no beans\n/,
        ),
        'db.response.status_code': '22P02',
      },
    ],
  };
  const found = spans.map(({ status, events = [] }) => ({
    status: status?.message,
    exceptions: events.map((event) => plainAttributes(event.attributes)),
  }));
  expect(found).toEqual([failed, failed]);
});

import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { plainAttributes } from '../../support/otlp/otlp-capture.ts';
import { runObserved } from '../../support/processes/observed-script.ts';

/** A server that ends requests by their paths, and a function that asks a path within a session of its own. */
const WORLD = `
  import { once } from 'node:events';
  import { createRequire } from 'node:module';
  const http2 = createRequire('/')('node:http2');
  const ends = {
    session: (stream) => stream.session.destroy(),
    socket: () => socket.destroy(),
    reset: () => socket.resetAndDestroy(),
    cancel: (stream) => stream.close(8),
    close: (stream) => stream.close(0),
    nothing: () => undefined,
    destroy: (stream) => stream.destroy(),
    answer: (stream) => stream.end('ok'),
  };
  let socket;
  const server = http2.createServer().on('connection', (connected) => (socket = connected));
  server.on('sessionError', () => undefined);
  server.on('stream', (stream, { ':path': path }) => {
    const [, when, how] = path.split('/');
    stream.on('error', () => undefined);
    if (when === 'before') return ends[how](stream);
    stream.respond();
    stream.write('a', () => setTimeout(() => ends[how](stream), 50));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = 'http://127.0.0.1:' + server.address().port;
  const ask = async (path, end = () => undefined, options) => {
    const session = http2.connect(url).on('error', () => undefined);
    const stream = session.request({ ':path': path }, options).on('error', () => undefined).resume();
    const closed = new Promise((resolve) => stream.once('close', resolve));
    end(stream, session);
    await closed;
    session.destroy();
  };
  const soon = (end) => (stream, session) => stream.once('data', () => end(stream, session));
  const later = (end) => (stream, session) => setTimeout(() => end(stream, session), 100);
`;

it('distinguishes what the application ended, and what the server or the network ended', async () => {
  await using run = await runObserved(`${WORLD}
    for (const how of ['session', 'socket', 'reset', 'cancel', 'close']) await ask('/before/' + how);
    for (const how of ['session', 'socket', 'reset', 'destroy']) await ask('/amid/' + how);
    await ask('/before/nothing/close-8', later((stream) => stream.close(8)));
    await ask('/before/nothing/close', later((stream) => stream.close()));
    await ask('/before/nothing/destroy', later((stream) => stream.destroy()));
    await ask('/before/nothing/session', later((_, session) => session.destroy()));
    await ask('/before/nothing/connecting', (_, session) => session.destroy());
    await ask('/before/nothing/signal', undefined, { signal: AbortSignal.timeout(100) });
    const controller = new AbortController();
    await ask('/before/nothing/abort', later(() => controller.abort()), { signal: controller.signal });
    await ask('/amid/nothing/close', soon((stream) => stream.close(8)));
    await ask('/amid/nothing/destroy', soon((stream) => stream.destroy()));
    await ask('/amid/nothing/session', soon((_, session) => session.destroy()));
    await ask('/amid/answer/whole', (stream, session) => stream.once('end', () => session.destroy()));
    await ask('/amid/answer/cancelled', (stream) => stream.once('end', () => stream.close(8)));
    await ask('/amid/answer/unsent', undefined, { endStream: false });
    server.close();`);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  const ends = run.capture.spans().map(({ attributes, status: { code = 'UNSET' } = {} }) => {
    const {
      'url.full': url = '',
      'http.response.status_code': status = '-',
      'error.type': error = '-',
    } = plainAttributes(attributes);
    return `${new URL(url).pathname} ${status} ${error} ${code.replace('STATUS_CODE_', '')}`;
  });
  expect(ends.toSorted()).toEqual([
    '/amid/answer/cancelled 200 - UNSET',
    '/amid/answer/unsent 200 - UNSET',
    '/amid/answer/whole 200 - UNSET',
    '/amid/destroy 200 connection_closed ERROR',
    '/amid/nothing/close 200 AbortError UNSET',
    '/amid/nothing/destroy 200 AbortError UNSET',
    '/amid/nothing/session 200 AbortError UNSET',
    '/amid/reset 200 ECONNRESET ERROR',
    '/amid/session 200 connection_closed ERROR',
    '/amid/socket 200 connection_closed ERROR',
    '/before/cancel - connection_closed ERROR',
    '/before/close - connection_closed ERROR',
    '/before/nothing/abort - AbortError UNSET',
    '/before/nothing/close - AbortError UNSET',
    '/before/nothing/close-8 - AbortError UNSET',
    '/before/nothing/connecting - AbortError UNSET',
    '/before/nothing/destroy - AbortError UNSET',
    '/before/nothing/session - AbortError UNSET',
    '/before/nothing/signal - TimeoutError ERROR',
    '/before/reset - ECONNRESET ERROR',
    '/before/session - connection_closed ERROR',
    '/before/socket - connection_closed ERROR',
  ]);
  const measured = run.capture
    .histogramAttributes('http.client.request.duration')
    .map((point) => Object.values(point).join(' '));
  expect([...new Set(measured)].toSorted()).toEqual([
    'GET 200',
    'GET 200 AbortError',
    'GET 200 ECONNRESET',
    'GET 200 connection_closed',
    'GET AbortError',
    'GET ECONNRESET',
    'GET TimeoutError',
    'GET connection_closed',
  ]);
});

it('leaves arguments alone that it does not know, and looks like Node', async () => {
  const script = `
    import { once } from 'node:events';
    import { createRequire } from 'node:module';
    import { promisify } from 'node:util';
    const http2 = createRequire('/')('node:http2');
    const server = http2.createServer((request, response) => response.end());
    server.on('stream', (stream, headers) => {
      const { ':path': path, ':method': method, a, b, [http2.sensitiveHeaders]: sensitive } = headers;
      console.log('gets', method, path, a, b, sensitive);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const later = promisify(http2.connect);
    const session = http2.connect('http://127.0.0.1:' + server.address().port);
    await once(session, 'connect');
    for (const { name, length } of [http2.connect, http2.connect[promisify.custom], session.request, session.close, session.destroy]) {
      console.log(name, length);
    }
    class Given { [':path'] = '/class'; a = '1'; }
    const list = Object.assign([':path', '/list', 'a', '1', 'b', 'secret'], { [http2.sensitiveHeaders]: ['b'] });
    const given = [
      [], [undefined], [null], [5], ['abc'], [() => undefined], [true], [[':path']], [[':path', '/odd', 'a']],
      [[[':path', '/ok']]], [[[':path', '/ok'], ['a', '1']]], [[1, 2]], [new Map([[':path', '/map']])], [new Given()],
      [{ ':path': '/object', a: '1' }], [{ __proto__: null, ':path': '/null', ':method': 'DELETE' }], [list], [[]],
      [{ ':path': '/options' }, 5], [{ ':path': '/signal', 'a ': '1' }],
    ];
    for (const args of given) {
      try {
        const stream = session.request(...args);
        console.log(stream.constructor.name, stream.close.length, stream.destroy.length, stream.push.length, stream.emit.length);
        await once(stream.resume(), 'close');
      } catch ({ name, code, message }) {
        console.log(name, code, message);
      }
    }
    session.close();
    server.close();`;
  await using run = await runObserved(script);
  const bare = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  expect(bare).toMatchObject({ status: 0, stderr: '' });
  expect(bare.stdout).toContain('ERR_INVALID_ARG_TYPE');
  expect(run).toMatchObject({ code: 0, stderr: '', stdout: bare.stdout });
  const paths = run.capture.spans().map(({ attributes }) => new URL(plainAttributes(attributes)['url.full']!).pathname);
  expect(new Set(paths)).toEqual(new Set(['/', '/list', '/null', '/object', '/options', '/signal']));
});

/** Asks a server of its own over HTTP/2, in each way in which a request can end. */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import http2 from 'node:http2';
import { trace } from '@opentelemetry/api';

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR } = http2.constants;

const print = (line) => process.stdout.write(`${line}\n`);

/** Prints what the server gets, and in which span the listeners of the client run. */
export async function use() {
  const server = http2.createServer((request, response) => {
    const { url, headers, stream } = request;
    if (headers.traceparent === undefined) print(`no headers for ${url}`);
    if (url === '/cancelled' || url === '/destroyed') return;
    if (url === '/reset') stream.close(NGHTTP2_INTERNAL_ERROR);
    else if (url === '/unavailable') response.writeHead(503).end();
    else response.end(url === '/unread' ? Buffer.alloc(5_000_000) : 'ok');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address();
  const caller = trace.getActiveSpan();

  const session = http2.connect(`http://127.0.0.1:${port}`);
  const ask = async (path, end = () => undefined) => {
    const stream = session.request({ ':path': path });
    stream.on('error', ({ code, name }) => print(`${path} fails with ${code ?? name}`));
    stream.once('response', () => trace.getActiveSpan() === caller || print(`${path} is in another span`));
    stream.resume();
    end(stream);
    await new Promise((resolve) => stream.once('close', resolve));
  };
  await ask('/ok');
  await ask('/unavailable');
  await ask('/reset');
  await ask('/cancelled', (stream) => setTimeout(() => stream.close(NGHTTP2_CANCEL), 50));
  await ask('/destroyed', (stream) => setTimeout(() => stream.destroy(new TypeError('no coffee')), 50));

  const later = await promisify(http2.connect)(`http://127.0.0.1:${port}`);
  const { connect } = createRequire(import.meta.url)('http2');
  const stranger = connect(`http://0.0.0.0:${port}`);
  for (const [client, path] of [
    [later, '/promised'],
    [stranger, '/stranger'],
  ]) {
    const stream = client.request({ ':path': path, ':method': 'POST' });
    stream.end('body');
    await once(stream.resume(), 'close');
    client.close();
  }
  const refused = http2.connect('http://127.0.0.1:1').on('error', () => undefined);
  await once(refused.request({ ':path': '/refused' }), 'error').catch(() => undefined);
  await once(session.request({ ':path': '/unread' }), 'response');
  caller.end();
  process.exit(0);
}

/** `node span-sink.ts`: receives OTLP over HTTP and counts the spans. It prints its port; `GET /` returns the count. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { inspectRequest } from '../../../src/engine/otlp/inspect-request.ts';

let spans = 0;

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => response.destroy(error as Error));
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') {
    response.end(String(spans));
    return;
  }
  const body = await buffer(request);
  spans += inspectRequest('traces', request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
  response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end();
}

/** `node span-sink.ts`: receives OTLP over HTTP, or envelopes for Sentry, and counts the spans. It prints its port; `GET /` returns the count. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { parseEnvelope, parseObject } from '../../../examples/sentry-sink/envelope.ts';
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
  const decoded = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  spans += request.url?.endsWith('/envelope/') === true ? spansOfEnvelope(decoded) : inspectRequest('traces', decoded);
  response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end();
}

/** Counts spans of the span protocol, and those of a transaction with its root. */
function spansOfEnvelope(body: Buffer): number {
  return parseEnvelope(body).items.reduce((sum, { header, payload }) => {
    if (header['type'] === 'span') return sum + Number(header['item_count']);
    const { spans: children } = parseObject(payload, 'payload') as { readonly spans?: readonly unknown[] };
    return children === undefined ? sum : sum + children.length + 1;
  }, 0);
}

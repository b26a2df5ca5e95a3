import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { inspectRequest } from '../../../src/engine/otlp/inspect-request.ts';

/** An OTLP/HTTP backend for traces that counts requests and spans, and can be away. */
export class CountingBackend implements AsyncDisposable {
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  /** While true, every request is answered 503. */
  isAway = false;
  spans = 0;
  requests = 0;

  static async start(): Promise<CountingBackend> {
    const backend = new CountingBackend();
    backend.#server.listen(0, '127.0.0.1');
    await once(backend.#server, 'listening');
    return backend;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Called with the body of each accepted request. */
  onRequest: (body: Uint8Array) => void = () => undefined;

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = Buffer.concat(await request.toArray());
    if (this.isAway) return void response.writeHead(503).end();
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    this.requests++;
    this.spans += inspectRequest('traces', body);
    this.onRequest(body);
    response.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { parseEnvelope, type JsonObject } from '../../../examples/sentry-sink/envelope.ts';

export interface CapturedEnvelope {
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly header: JsonObject;
  readonly items: readonly { readonly header: JsonObject; readonly payload: JsonObject }[];
}

/** Accepts all envelopes of any client, and keeps them. */
export class EnvelopeCapture implements AsyncDisposable {
  readonly envelopes: CapturedEnvelope[] = [];
  readonly #server = createServer((request, response) => void this.#keep(request, response));

  static async start(): Promise<EnvelopeCapture> {
    const capture = new EnvelopeCapture();
    await once(capture.#server.listen(0, '127.0.0.1'), 'listening');
    return capture;
  }

  get dsn(): string {
    return `http://0123456789abcdef0123456789abcdef@127.0.0.1:${(this.#server.address() as AddressInfo).port}/1`;
  }

  /** The payloads of all items of one type. */
  payloads(type: string): JsonObject[] {
    return this.envelopes.flatMap(({ items }) =>
      items.filter(({ header }) => header['type'] === type).map(({ payload }) => payload),
    );
  }

  async #keep(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat((await request.toArray()) as Buffer[]);
    const { header, items } = parseEnvelope(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
    const parsed = items.map((item) => ({
      header: item.header,
      payload: JSON.parse(item.payload.toString()) as JsonObject,
    }));
    const url = new URL(request.url ?? '', 'http://localhost');
    this.envelopes.push({ url, headers: request.headers, header, items: parsed });
    response.setHeader('content-type', 'application/json').end('{}');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

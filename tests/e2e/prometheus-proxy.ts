import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Exchange {
  readonly accept: string;
  readonly contentType: string;
}

/** Stands between a scraper and an endpoint, and remembers what was asked for and what was answered. */
export class RecordingProxy implements AsyncDisposable {
  readonly exchanges: Exchange[] = [];
  readonly #server = createServer();

  static async start(target: string): Promise<RecordingProxy> {
    const proxy = new RecordingProxy();
    proxy.#server.on('request', (request, response) => {
      proxy.#forward(target, request, response).catch((error: Error) => response.destroy(error));
    });
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** `host:port` */
  get endpoint(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #forward(target: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { accept = '' } = request.headers;
    const answer = await fetch(`${target}${request.url}`, { headers: { accept } });
    const contentType = answer.headers.get('content-type') ?? '';
    this.exchanges.push({ accept, contentType });
    response.writeHead(answer.status, { 'content-type': contentType }).end(await answer.text());
  }
}

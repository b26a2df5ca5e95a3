import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Logger } from 'pino';
import type { Endpoint } from '../../collector/config/fields.ts';
import { close, formatEndpoint, listen } from '../../collector/net/http-server.ts';
import { createServer } from '../../collector/net/node-http.ts';

const compress = promisify(gzip);

/** Answers `GET /metrics`. Scrapes that come while a page is rendered share it. */
export class ScrapeServer {
  readonly #server: Server;
  readonly #logger: Logger;
  readonly #render: () => Promise<Buffer>;
  #page: Promise<Buffer> | undefined;
  #compressed: Promise<Buffer> | undefined;

  constructor(logger: Logger, render: () => Promise<Buffer>) {
    this.#logger = logger;
    this.#render = render;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => this.#fail(response, error));
    });
  }

  async start(endpoint: Endpoint): Promise<void> {
    const bound = await listen(this.#server, endpoint);
    this.#logger.info({ endpoint: formatEndpoint(bound) }, 'Listening');
  }

  stop(deadline: AbortSignal): Promise<void> {
    return close(this.#server, deadline);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url?.split('?', 1)[0] !== '/metrics') return refuse(response, 404, 'Only /metrics is served here\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return refuse(response, 405, 'Only GET and HEAD are allowed\n');
    }
    const gzipped = acceptsGzip(request.headers['accept-encoding']);
    const body = await (gzipped ? this.#gzippedPage() : this.#plainPage());
    response.writeHead(200, {
      'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
      'Content-Length': body.length,
      Vary: 'Accept-Encoding',
      ...(gzipped ? { 'Content-Encoding': 'gzip' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  #plainPage(): Promise<Buffer> {
    this.#page ??= this.#render().finally(() => (this.#page = undefined));
    return this.#page;
  }

  /** In zlib's own threads; level 1 is five times faster than the default and a few per cent larger. */
  #gzippedPage(): Promise<Buffer> {
    this.#compressed ??= this.#plainPage()
      .then((page) => compress(page, { level: 1 }))
      .finally(() => (this.#compressed = undefined));
    return this.#compressed;
  }

  #fail(response: ServerResponse, err: unknown): void {
    this.#logger.error({ err }, 'A scrape failed');
    if (response.headersSent) response.destroy();
    else refuse(response, 500, 'The page could not be rendered\n');
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
}

function acceptsGzip(header: string | undefined): boolean {
  return (header ?? '').split(',').some((part) => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(part));
}

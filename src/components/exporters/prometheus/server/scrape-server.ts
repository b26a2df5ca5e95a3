import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished, pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import type { Host } from '../../../../engine/component.ts';
import { GuardedServer, type Site } from '../../../../engine/net/guarded-server.ts';
import { limitReader } from '../../../../engine/net/reader-limit.ts';
import { pathOf } from '../../../../engine/net/request-path.ts';
import type { HttpServerConfig } from '../../../../engine/schema/http-server.ts';
import type { PageBuffer } from '../page/page-buffer.ts';
import type { Syntax } from '../page/page-content.ts';
import { acceptsGzip, negotiate, type Negotiated } from './negotiation.ts';
import { Pages } from './pages.ts';
import { inTurns, PageReader, type Rendering } from './rendering.ts';

export interface ScrapeServerOptions {
  readonly server: HttpServerConfig;
  readonly logger: Logger;
  /** Offers OpenMetrics to scrapers. */
  readonly openMetrics: boolean;
  readonly render: (format: Negotiated, target: PageBuffer) => Promise<void>;
}

/** Answers `GET /metrics`. */
export class ScrapeServer {
  readonly #server: GuardedServer;
  readonly #options: ScrapeServerOptions;
  readonly #pages = new Pages();

  constructor(options: ScrapeServerOptions) {
    this.#server = new GuardedServer(options.server, options.logger);
    this.#options = options;
  }

  async start(host: Host): Promise<void> {
    const site: Site = {
      serve: (request, response) =>
        this.#answer(request, response).catch((error: unknown) => this.#fail(response, error)),
      refuse: (_request, response) => refuse(response, 401, 'The credentials are missing or wrong\n'),
    };
    await this.#server.start(host, site);
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#server.stop(deadline);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (pathOf(request) !== '/metrics') return refuse(response, 404, 'Only /metrics is served here\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return refuse(response, 405, 'Only GET and HEAD are allowed\n');
    }
    const format = negotiate(request.headers.accept, this.#options.openMetrics);
    const rendering = this.#pages.get(contentType(format), (target) => this.#options.render(format, target));
    if (rendering === undefined) {
      response.setHeader('Retry-After', '5');
      return refuse(response, 503, 'Too many scrapes are waiting for their readers\n');
    }
    const reader = new PageReader(() => response.destroy());
    const limit = limitReader(response);
    rendering.acquire(reader);
    try {
      await this.#send(request, response, { rendering, format, reader });
    } finally {
      limit[Symbol.dispose]();
      rendering.release(reader);
    }
  }

  async #send(
    request: IncomingMessage,
    response: ServerResponse,
    { rendering, format, reader }: { rendering: Rendering; format: Negotiated; reader: PageReader },
  ): Promise<void> {
    const gzipped = acceptsGzip(request.headers['accept-encoding']);
    const page = await (gzipped ? rendering.gzipped : rendering.identity);
    response.writeHead(200, {
      'Content-Type': contentType(format),
      'Content-Length': page.length,
      Vary: 'Accept, Accept-Encoding',
      ...(gzipped ? { 'Content-Encoding': 'gzip' } : {}),
    });
    const sent = request.method === 'HEAD' ? finished(response.end()) : pipeline(inTurns(page, reader), response);
    await sent.catch(ignoreReaderThatLeft);
  }

  #fail(response: ServerResponse, err: unknown): void {
    this.#options.logger.error({ err }, 'A scrape failed');
    if (response.headersSent) response.destroy();
    else refuse(response, 500, 'The page could not be rendered\n');
  }
}

const MEDIA_TYPES: Readonly<Record<Syntax, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  protobuf: 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
};

function contentType({ syntax, escaping }: Negotiated): string {
  return `${MEDIA_TYPES[syntax]}; escaping=${escaping}`;
}

/** The connection is closed, so an answer is not possible. */
function ignoreReaderThatLeft(): void {}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
}

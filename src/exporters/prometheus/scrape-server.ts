import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { finished, pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { authenticatorOf, type AuthConfig, type Authenticator } from '../../collector/authenticator.ts';
import type { Host } from '../../collector/component.ts';
import type { Endpoint } from '../../collector/config/fields.ts';
import { announce } from '../../collector/net/announce.ts';
import { close, listen } from '../../collector/net/http-server.ts';
import { createServerFor, type TlsConfig } from '../../collector/net/tls.ts';
import { acceptsGzip, negotiate, type Negotiated, type Syntax } from './negotiation.ts';
import { PageBuffer } from './page-buffer.ts';
import { inTurns, Rendering } from './rendering.ts';

/** Pages that readers may keep waiting at a time: each takes the memory of a page. */
const MAX_PAGES = 4;
/** A reader that takes nothing for so long is cut off. */
const STALLED_MS = 30_000;

export interface ScrapeServerOptions {
  readonly logger: Logger;
  /** Whether OpenMetrics may be asked for. */
  readonly openMetrics: boolean;
  readonly render: (format: Negotiated, target: PageBuffer) => Promise<void>;
}

export interface ScrapeEndpoint {
  readonly endpoint: Endpoint;
  readonly tls?: TlsConfig | undefined;
  readonly auth?: AuthConfig | undefined;
}

/** Answers `GET /metrics`. Scrapes that come while a page is rendered share it. */
export class ScrapeServer {
  #server: Server | undefined;
  #authenticator: Authenticator | undefined;
  readonly #options: ScrapeServerOptions;
  readonly #renderings = new Map<string, Rendering>();
  #pages = 0;
  #spare: PageBuffer | undefined;

  constructor(options: ScrapeServerOptions) {
    this.#options = options;
  }

  async start({ endpoint, tls, auth }: ScrapeEndpoint, host: Host): Promise<void> {
    this.#authenticator = authenticatorOf(host, auth);
    this.#server = await createServerFor(tls, {}, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => this.#fail(response, error));
    });
    const bound = await listen(this.#server, endpoint);
    announce(this.#options.logger, { endpoint: bound, isGuarded: tls !== undefined || auth !== undefined });
  }

  async stop(deadline: AbortSignal): Promise<void> {
    if (this.#server !== undefined) await close(this.#server, deadline);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const authenticator = this.#authenticator;
    if (authenticator?.authenticate((name) => request.headers[name]?.toString()) === false) {
      response.setHeader('WWW-Authenticate', authenticator.challenge);
      return refuse(response, 401, 'The credentials are missing or wrong\n');
    }
    if (request.url?.split('?', 1)[0] !== '/metrics') return refuse(response, 404, 'Only /metrics is served here\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return refuse(response, 405, 'Only GET and HEAD are allowed\n');
    }
    const format = negotiate(request.headers.accept, this.#options.openMetrics);
    const rendering = this.#rendering(format);
    if (rendering === undefined) {
      response.setHeader('Retry-After', '5');
      return refuse(response, 503, 'Too many scrapes are waiting for their readers\n');
    }
    rendering.acquire();
    try {
      await this.#send(request, response, { rendering, format });
    } finally {
      rendering.release();
    }
  }

  async #send(
    request: IncomingMessage,
    response: ServerResponse,
    { rendering, format }: { rendering: Rendering; format: Negotiated },
  ): Promise<void> {
    const gzipped = acceptsGzip(request.headers['accept-encoding']);
    const page = await (gzipped ? rendering.gzipped : rendering.plain);
    response.writeHead(200, {
      'Content-Type': contentType(format),
      'Content-Length': page.length,
      Vary: 'Accept, Accept-Encoding',
      ...(gzipped ? { 'Content-Encoding': 'gzip' } : {}),
    });
    response.setTimeout(STALLED_MS, () => response.destroy());
    const sent = request.method === 'HEAD' ? finished(response.end()) : pipeline(inTurns(page), response);
    await sent.catch(ignoreReaderThatLeft);
  }

  #rendering(format: Negotiated): Rendering | undefined {
    const key = contentType(format);
    const shared = this.#renderings.get(key);
    if (shared !== undefined || this.#pages === MAX_PAGES) return shared;
    this.#pages++;
    const buffer = this.#spare ?? new PageBuffer();
    this.#spare = undefined;
    buffer.clear();
    const rendered = this.#options.render(format, buffer).finally(() => this.#renderings.delete(key));
    const rendering = new Rendering(buffer, rendered, () => {
      this.#pages--;
      this.#spare = buffer;
    });
    this.#renderings.set(key, rendering);
    return rendering;
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

/** Its connection is gone, and with it whoever could be told. */
function ignoreReaderThatLeft(): void {}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
}

import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Authenticator } from '../authenticator.ts';
import type { Host } from '../component.ts';
import { RetryableError } from '../errors.ts';
import { announce } from './announce.ts';
import { CertificateReload } from './certificate-reload.ts';
import { connectionsWithin, READERS_SHARE } from './connection-limit.ts';
import { Cors } from './cors.ts';
import type { Endpoint } from '../schema/fields.ts';
import type { HttpServerConfig } from '../schema/http-server.ts';
import { HEADERS_BUSY, HEADERS_RETRY_MS, HttpListener } from './http-listener.ts';

/** The handlers of a server, without the checks that all servers share. */
export interface Site {
  /** Answers a request that may be served. */
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Answers 503 to a request that cannot be checked now, or has no room; plain text unless defined. */
  refuseBusy?(request: IncomingMessage, response: ServerResponse, busy: RetryableError): void;
  /** Answers 401 to a request without the right credentials. The challenge header is already set. */
  refuse(request: IncomingMessage, response: ServerResponse): void;
  /** Called when a client begins with HTTP/2, which no HTTP server here has. */
  noticeHttp2?(): void;
}

/** An HTTP server with what all of them share: TLS, authentication, CORS, headers, timeouts. */
export class GuardedServer {
  readonly #config: HttpServerConfig;
  readonly #logger: Logger;
  readonly #headers: readonly (readonly [string, string])[];
  readonly #cors: Cors | undefined;
  #authenticator: Authenticator | undefined;
  #listener: HttpListener | undefined;
  #reload: CertificateReload | undefined;
  #closing = false;

  constructor(config: HttpServerConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    this.#headers = Object.entries(config.response_headers).map(([name, value]) => [name, value.reveal()]);
    this.#cors = config.cors && config.cors.allowed_origins.length > 0 ? new Cors(config.cors) : undefined;
  }

  /**
   * @param transport for the log, if the component has several.
   * @param descriptorShare see `connectionsWithin`.
   * @returns the endpoint, with the port that the system chose if the configured one is 0.
   */
  async start(
    host: Host,
    site: Site,
    {
      transport,
      descriptorShare = READERS_SHARE,
    }: { readonly transport?: 'http'; readonly descriptorShare?: number } = {},
  ): Promise<Endpoint> {
    const { auth, tls, endpoint, max_connections } = this.#config;
    this.#authenticator = auth && host.extension(auth.authenticator);
    const maxConnections = connectionsWithin(max_connections, descriptorShare);
    const settings = { endpoint, tls, timeouts: timeouts(this.#config), maxConnections };
    this.#listener = await HttpListener.open(settings, host.handover, {
      request: (request, response) => {
        this.#handle(request, response, site).catch((error: unknown) => response.destroy(error as Error));
      },
      busy: (request, response) => refuseBusy(site, { request, response }, headersBusy()),
      http2: () => site.noticeHttp2?.(),
    });
    this.#reload = new CertificateReload(this.#listener.server, tls, this.#logger);
    announce(this.#logger, { endpoint: this.#listener.endpoint, transport }, this.#config);
    return this.#listener.endpoint;
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#reload?.[Symbol.dispose]();
    const stopping = this.#listener?.stop(deadline);
    this.#closing = stopping?.isKept !== true;
    await stopping?.stopped;
  }

  /** True if the connection ends after the current answer. */
  get endsConnections(): boolean {
    return this.#closing || !this.#config.keep_alives_enabled;
  }

  async #handle(request: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
    for (const [name, value] of this.#headers) response.setHeader(name, value);
    if (this.endsConnections) response.setHeader('Connection', 'close');
    if (this.#cors?.apply(request, response)) return;
    const authenticator = this.#authenticator;
    if (authenticator !== undefined) {
      const admitted = await admit(authenticator, request);
      if (admitted instanceof RetryableError) return refuseBusy(site, { request, response }, admitted);
      if (!admitted) {
        response.setHeader('WWW-Authenticate', authenticator.challenge);
        return site.refuse(request, response);
      }
    }
    await site.serve(request, response);
  }
}

/** The error if the check must be repeated later. */
async function admit(authenticator: Authenticator, { headers }: IncomingMessage): Promise<boolean | RetryableError> {
  try {
    return await authenticator.authenticate((name) => headers[name]?.toString());
  } catch (error) {
    if (error instanceof RetryableError) return error;
    throw error;
  }
}

function headersBusy(): RetryableError {
  return new RetryableError('memory_limit', HEADERS_BUSY, { retryAfterMs: HEADERS_RETRY_MS });
}

function refuseBusy(
  site: Site,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  busy: RetryableError,
): void {
  if (site.refuseBusy !== undefined) return site.refuseBusy(request, response, busy);
  response.setHeader('Retry-After', Math.ceil((busy.retryAfterMs ?? 1000) / 1000));
  response.writeHead(503, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${busy.message}\n`);
}

/** The longest interval at which Node checks for slow connections. */
const TIMEOUT_CHECK_MS = 5000;

/** 0 means no timeout, for Node too. */
function timeouts({ read_header_timeout, read_timeout, idle_timeout }: HttpServerConfig): ServerOptions {
  const limits = [read_header_timeout, read_timeout].filter((ms) => ms > 0);
  const headersTimeout = limits.length === 0 ? 0 : Math.min(...limits);
  return {
    headersTimeout,
    requestTimeout: read_timeout,
    keepAliveTimeout: idle_timeout,
    connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, headersTimeout || TIMEOUT_CHECK_MS),
  };
}

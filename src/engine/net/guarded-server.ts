import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Authenticator } from '../authenticator.ts';
import type { Host } from '../component.ts';
import { announce } from './announce.ts';
import { CertificateReload } from './certificate-reload.ts';
import { Cors } from './cors.ts';
import type { HttpServerConfig } from '../schema/http-server.ts';
import { close, listen } from './http-server.ts';
import { createServerFor } from './tls.ts';

/** The handlers of a server, without the checks that all servers share. */
export interface Site {
  /** Answers a request that may be served. */
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Answers 401 to a request without the right credentials. The challenge header is already set. */
  refuse(request: IncomingMessage, response: ServerResponse): void;
}

/** An HTTP server with what all of them share: TLS, authentication, CORS, headers, timeouts. */
export class GuardedServer {
  readonly #config: HttpServerConfig;
  readonly #logger: Logger;
  readonly #headers: readonly (readonly [string, string])[];
  readonly #cors: Cors | undefined;
  #authenticator: Authenticator | undefined;
  #server: Server | undefined;
  #reload: CertificateReload | undefined;
  #closing = false;

  constructor(config: HttpServerConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    this.#headers = Object.entries(config.response_headers).map(([name, value]) => [name, value.reveal()]);
    this.#cors = config.cors && config.cors.allowed_origins.length > 0 ? new Cors(config.cors) : undefined;
  }

  /** @param transport for the log, if the component has several. */
  async start(host: Host, site: Site, transport?: 'http'): Promise<void> {
    const { auth, tls, endpoint } = this.#config;
    this.#authenticator = auth && host.extension(auth.authenticator);
    this.#server = await createServerFor(tls, timeouts(this.#config), (request, response) => {
      this.#handle(request, response, site).catch((error: unknown) => response.destroy(error as Error));
    });
    const bound = await listen(this.#server, endpoint);
    this.#reload = new CertificateReload(this.#server, tls, this.#logger);
    announce(this.#logger, { endpoint: bound, transport }, this.#config);
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#closing = true;
    this.#reload?.[Symbol.dispose]();
    if (this.#server !== undefined) await close(this.#server, deadline);
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
      const admitted = authenticator.authenticate((name) => request.headers[name]?.toString());
      if (admitted === false || !(await admitted)) {
        response.setHeader('WWW-Authenticate', authenticator.challenge);
        return site.refuse(request, response);
      }
    }
    await site.serve(request, response);
  }
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

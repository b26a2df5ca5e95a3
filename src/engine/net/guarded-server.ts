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

/** What stands behind the guard. */
export interface Site {
  /** Answers a request that may be served. */
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Answers 401 to a request without the right credentials. Its challenge is set already. */
  refuse(request: IncomingMessage, response: ServerResponse): void;
}

/** An HTTP server with the configuration that all of them share: TLS, credentials, CORS, headers, timeouts. */
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

  /** `transport` is named in the log where there is more than one. */
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

  /** Whether an answer that is sent now is the last one of its connection. */
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

/** How often Node looks for connections that are too slow, at the least. */
const TIMEOUT_CHECK_MS = 5000;

/** 0 is none, for Node as well. */
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

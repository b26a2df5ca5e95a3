import type { IncomingMessage, ServerResponse } from 'node:http';
import { wildcard } from '../wildcard.ts';
import type { CorsConfig } from '../schema/http-server.ts';

/** The first three are those that the stock Collector allows without `allowed_headers`. */
const ALWAYS_ALLOWED = ['Accept', 'Content-Type', 'X-Requested-With', 'Content-Encoding'];

/** Lets browsers of the allowed origins use a server. https://fetch.spec.whatwg.org/#http-cors-protocol */
export class Cors {
  readonly #config: CorsConfig;
  readonly #origins: readonly ((origin: string) => boolean)[];
  /** Any site may read, so browsers must not send credentials. */
  readonly #isPublic: boolean;

  constructor(config: CorsConfig) {
    this.#config = config;
    this.#origins = config.allowed_origins.map((origin) => wildcard(origin.toLowerCase()));
    this.#isPublic = config.allowed_origins.includes('*');
  }

  /** Sets the headers for an allowed origin. Answers a preflight request and returns true for it. */
  apply(request: IncomingMessage, response: ServerResponse): boolean {
    const { origin } = request.headers;
    if (origin === undefined) return false;
    const isPreflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
    if (!this.#isPublic) response.setHeader('Vary', 'Origin');
    if (this.#allows(origin)) this.#allow(request, response, { origin, isPreflight });
    if (isPreflight) response.writeHead(204).end();
    return isPreflight;
  }

  #allows(origin: string): boolean {
    const lowerCase = origin.toLowerCase();
    return this.#origins.some((matches) => matches(lowerCase));
  }

  #allow(
    request: IncomingMessage,
    response: ServerResponse,
    { origin, isPreflight }: { origin: string; isPreflight: boolean },
  ): void {
    const { allowed_headers, exposed_headers, max_age } = this.#config;
    response.setHeader('Access-Control-Allow-Origin', this.#isPublic ? '*' : origin);
    if (!this.#isPublic) response.setHeader('Access-Control-Allow-Credentials', 'true');
    if (!isPreflight) {
      if (exposed_headers.length > 0) response.setHeader('Access-Control-Expose-Headers', exposed_headers.join(', '));
      return;
    }
    response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, POST');
    // With credentials, browsers do not treat * as a wildcard.
    const asked = allowed_headers.includes('*') ? (request.headers['access-control-request-headers'] ?? []) : [];
    const allowed = [...ALWAYS_ALLOWED, ...allowed_headers.filter((name) => name !== '*')].concat(asked);
    response.setHeader('Access-Control-Allow-Headers', allowed.join(', '));
    if (max_age > 0) response.setHeader('Access-Control-Max-Age', max_age);
  }
}

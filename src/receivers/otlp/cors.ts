import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CorsConfig } from './config.ts';

/** Lets browsers of the allowed origins send telemetry. https://fetch.spec.whatwg.org/#http-cors-protocol */
export class Cors {
  readonly #config: CorsConfig;
  readonly #origins: readonly RegExp[];

  constructor(config: CorsConfig) {
    this.#config = config;
    this.#origins = config.allowed_origins.map(originPattern);
  }

  /** Sets the headers that an allowed origin needs. Returns whether the request was a preflight, which is then answered. */
  apply(request: IncomingMessage, response: ServerResponse): boolean {
    const { origin } = request.headers;
    if (origin === undefined) return false;
    const isPreflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
    response.setHeader('Vary', 'Origin');
    if (this.#origins.some((pattern) => pattern.test(origin))) this.#allow(origin, isPreflight, response);
    if (isPreflight) response.writeHead(204).end();
    return isPreflight;
  }

  #allow(origin: string, isPreflight: boolean, response: ServerResponse): void {
    const { allowed_headers, exposed_headers, max_age } = this.#config;
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Allow-Credentials', 'true');
    if (!isPreflight) {
      if (exposed_headers.length > 0) response.setHeader('Access-Control-Expose-Headers', exposed_headers.join(', '));
      return;
    }
    response.setHeader('Access-Control-Allow-Methods', 'POST');
    response.setHeader(
      'Access-Control-Allow-Headers',
      ['Content-Type', 'Content-Encoding', ...allowed_headers].join(', '),
    );
    if (max_age > 0) response.setHeader('Access-Control-Max-Age', max_age);
  }
}

/** `*` stands for any text. */
function originPattern(origin: string): RegExp {
  return new RegExp(`^${origin.split('*').map(escapePattern).join('.*')}$`, 'i');
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

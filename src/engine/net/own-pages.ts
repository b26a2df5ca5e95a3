import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { HttpServerConfig } from '../schema/http-server.ts';

/**
 * Keeps pages of other sites from reading what a server has. A page can send requests to any address, and its site can
 * make its own name lead to this machine.
 */
export class OwnPages {
  readonly #config: Pick<HttpServerConfig, 'auth' | 'cors'>;
  readonly #hosts: ReadonlySet<string>;

  /** @param allowedHosts other names of this server. */
  constructor(config: Pick<HttpServerConfig, 'auth' | 'cors' | 'endpoint'>, allowedHosts: readonly string[] = []) {
    this.#config = config;
    this.#hosts = new Set(['localhost', config.endpoint.host, ...allowedHosts].map((host) => host.toLowerCase()));
  }

  /** True for an IP address, `localhost`, the host of the endpoint, or an allowed name. */
  hasOwnName({ headers: { host = '' } }: IncomingMessage): boolean {
    const name = host
      .replace(/:\d+$/, '')
      .replace(/^\[(.*)\]$/, '$1')
      .toLowerCase();
    return isIP(name) !== 0 || this.#hosts.has(name);
  }

  /**
   * False for what pages of another origin load, unless `cors` decides about them. With authentication they lack the
   * credentials. A link on another page may lead here.
   */
  hasOwnOrigin({ headers }: IncomingMessage): boolean {
    const { auth, cors } = this.#config;
    if (auth !== undefined || (cors?.allowed_origins.length ?? 0) > 0) return true;
    const { host = '', origin, 'sec-fetch-site': site = 'none', 'sec-fetch-mode': mode } = headers;
    if (site !== 'same-origin' && site !== 'none' && mode !== 'navigate') return false;
    return origin === undefined || ['http://', 'https://'].some((scheme) => origin === scheme + host);
  }
}

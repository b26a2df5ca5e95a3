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

  /** False for pages of another origin, unless `cors` decides about them. With authentication they lack the credentials. */
  hasOwnOrigin({ headers: { host = '', origin } }: IncomingMessage): boolean {
    const { auth, cors } = this.#config;
    if (origin === undefined || auth !== undefined || (cors?.allowed_origins.length ?? 0) > 0) return true;
    return ['http://', 'https://'].some((scheme) => origin === scheme + host);
  }
}

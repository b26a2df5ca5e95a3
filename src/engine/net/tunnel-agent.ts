import type { OutgoingHttpHeaders } from 'node:http';
import { request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect, type ConnectionOptions } from 'node:tls';
import { basicAuthorization } from './basic-authorization.ts';

const CONNECT_TIMEOUT_MS = 30_000;

/** The options that Node passes for a new connection. */
interface Destination extends ConnectionOptions {
  readonly host?: string;
  readonly port?: number;
}

/** An agent for https that reaches its servers through a tunnel of an HTTP proxy. */
export class TunnelAgent extends Agent {
  readonly #proxy: URL;

  constructor(proxy: URL, options: AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(options: object, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    void this.#answer(options, callback);
    return undefined;
  }

  async #answer(destination: Destination, callback?: (error: Error | null, stream: Duplex) => void): Promise<void> {
    let socket: Duplex;
    try {
      socket = await this.#tunnel(destination);
    } catch (error) {
      callback?.(error as Error, undefined as unknown as Duplex);
      return;
    }
    callback?.(null, socket);
  }

  async #tunnel(destination: Destination): Promise<Duplex> {
    const { host = '', port = 443 } = destination;
    const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const socket = await openTunnel(this.#proxy, authority);
    return connect({ ...destination, socket } as ConnectionOptions);
  }
}

export function addressOf({ protocol, hostname, port }: URL): { readonly host: string; readonly port: number } {
  return { host: hostname.replaceAll(/^\[|\]$/g, ''), port: Number(port || (protocol === 'https:' ? 443 : 80)) };
}

/** The header that authenticates at the proxy, if its URL has credentials. */
export function proxyHeaders(proxy: URL): OutgoingHttpHeaders {
  return proxy.username === '' ? {} : { 'proxy-authorization': basicAuthorization(proxy) };
}

/**
 * Asks the proxy for a connection to `host:port`.
 *
 * @throws Error that names the proxy, if it refuses.
 */
export async function openTunnel(proxy: URL, authority: string): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
    ...addressOf(proxy),
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...proxyHeaders(proxy) },
    agent: false,
    signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS),
  });
  request.on('connect', ({ statusCode }, socket) => {
    if (statusCode === 200) return resolve(socket);
    socket.destroy();
    reject(new Error(`the proxy ${proxy.host} answered ${statusCode} to CONNECT`));
  });
  request.on('response', ({ statusCode }) => {
    request.destroy();
    reject(new Error(`the proxy ${proxy.host} answered ${statusCode} to CONNECT`));
  });
  request.on('error', (error) =>
    reject(new Error(`the proxy ${proxy.host} cannot be reached: ${error.message}`, { cause: error })),
  );
  request.end();
  return promise;
}

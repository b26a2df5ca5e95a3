import { lookup } from 'node:dns/promises';
import type { Server } from 'node:http';
import { createServer, type AddressInfo, type Server as SocketServer } from 'node:net';
import { isEveryAddress, type Endpoint } from '../schema/fields.ts';

/** The listeners of a server's addresses after the first. They pass their connections to the server. */
const furtherListeners = new WeakMap<SocketServer, readonly SocketServer[]>();

/**
 * Binds the server to every address of the host, as SDKs and scrapers may use any of them: `localhost` is 127.0.0.1 and
 * ::1, `0.0.0.0` and an empty host are both families. Resolves with the endpoint and the port that the system chose.
 *
 * @throws Error with the endpoint and a fix, if it cannot be bound.
 */
export async function listen(server: SocketServer, endpoint: Endpoint): Promise<Endpoint> {
  const bound: SocketServer[] = [];
  let { port } = endpoint;
  let unavailable: unknown;
  try {
    for (const host of await addressesOf(endpoint.host)) {
      const listener = bound.length === 0 ? server : passingTo(server);
      try {
        ({ port } = await bind(listener, { host, port }));
        bound.push(listener);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        unavailable = error;
      }
    }
    if (bound.length === 0) throw unavailable;
  } catch (error) {
    for (const listener of bound) listener.close();
    throw explain(error as NodeJS.ErrnoException, endpoint);
  }
  furtherListeners.set(server, bound.slice(1));
  return bound.length === 1 ? withPort(server.address() as AddressInfo) : { host: endpoint.host, port };
}

/** Accepts no new connections and waits for running requests. Cuts them off when the deadline aborts. */
export async function close(server: Server, deadline: AbortSignal): Promise<void> {
  if (!server.listening) return;
  const end = (): void => server.closeIdleConnections();
  await endBy(server, deadline, { end, cutOff: () => server.closeAllConnections() });
}

/** Accepts no new connections. `end` ends the existing ones; `cutOff` is called when the deadline aborts. */
export async function endBy(
  server: SocketServer,
  deadline: AbortSignal,
  { end, cutOff }: { readonly end: () => void; readonly cutOff: () => void },
): Promise<void> {
  const closed = stopListening(server);
  if (deadline.aborted) cutOff();
  else deadline.addEventListener('abort', cutOff, { once: true });
  end();
  await closed;
  deadline.removeEventListener('abort', cutOff);
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Accepts no new connections on any address. Resolves when the existing ones have ended. */
async function stopListening(server: SocketServer): Promise<void> {
  await Promise.all(
    [server, ...(furtherListeners.get(server) ?? [])].map(
      (listener) => new Promise<void>((resolve) => void listener.close(() => resolve())),
    ),
  );
}

/** An empty address is the wildcard of both families; of IPv4 on a machine without IPv6. */
async function addressesOf(host: string): Promise<readonly string[]> {
  if (isEveryAddress(host)) return [''];
  // Both, whatever the file of hosts contains.
  if (host === 'localhost') return ['127.0.0.1', '::1'];
  const found = await lookup(host, { all: true, order: 'ipv4first' });
  return [...new Set(found.map(({ address }) => address))];
}

/** The options that Node's HTTP servers set on their own sockets. */
function passingTo(server: SocketServer): SocketServer {
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void server.emit('connection', socket));
}

async function bind(server: SocketServer, { host, port }: Endpoint): Promise<Endpoint> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === '' ? {} : { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return withPort(server.address() as AddressInfo);
}

function withPort({ address, port }: AddressInfo): Endpoint {
  return { host: address, port };
}

/** True if this machine does not have the address, for example ::1 where IPv6 is off. */
function isUnavailable(error: unknown): boolean {
  return ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function explain(error: NodeJS.ErrnoException, endpoint: Endpoint): Error {
  const where = formatEndpoint(endpoint);
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `${where} is already in use: stop the process that listens there, or choose another port`,
    EADDRNOTAVAIL: `${where} is not an address of this machine: choose 127.0.0.1 or 0.0.0.0`,
    EACCES: `${where} cannot be bound by this user: choose a port above 1023`,
    ENOTFOUND: `${where} contains a host name that cannot be resolved`,
  };
  return new Error(reasons[error.code ?? ''] ?? `${where} cannot be bound: ${error.message}`, { cause: error });
}

import type { Server } from 'node:http';
import type { AddressInfo, Server as SocketServer } from 'node:net';
import type { Endpoint } from '../schema/fields.ts';

/**
 * Binds the server. Resolves with where it listens, which tells the port where the endpoint left it to the
 * system.
 *
 * @throws Error that names the endpoint and the repair, if it cannot be bound.
 */
export async function listen(server: SocketServer, { host, port }: Endpoint): Promise<Endpoint> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(explainBindError(error, { host, port }));
    server.once('error', fail);
    server.listen({ port, ...(host === '' ? {} : { host }) }, () => {
      server.off('error', fail);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  return { host: address.address, port: address.port };
}

/** Takes no new connections, lets the requests under way end, and cuts them off when the deadline aborts. */
export async function close(server: Server, deadline: AbortSignal): Promise<void> {
  if (!server.listening) return;
  const end = (): void => server.closeIdleConnections();
  await endBy(server, deadline, { end, cutOff: () => server.closeAllConnections() });
}

/** Takes no new connections and lets `end` end those that are there; `cutOff` is called when the deadline aborts. */
export async function endBy(
  server: SocketServer,
  deadline: AbortSignal,
  { end, cutOff }: { readonly end: () => void; readonly cutOff: () => void },
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
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

function explainBindError(error: NodeJS.ErrnoException, endpoint: Endpoint): Error {
  const where = formatEndpoint(endpoint);
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `${where} is already in use: stop the process that listens there, or choose another port`,
    EADDRNOTAVAIL: `${where} is no address of this machine: choose 127.0.0.1 or 0.0.0.0`,
    EACCES: `${where} may not be bound by this user: choose a port above 1023`,
    ENOTFOUND: `${where} has a host name that does not resolve`,
  };
  return new Error(reasons[error.code ?? ''] ?? `${where} cannot be bound: ${error.message}`, { cause: error });
}

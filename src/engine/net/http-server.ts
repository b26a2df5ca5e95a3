import type { Server } from 'node:http';
import type { AddressInfo, Server as SocketServer } from 'node:net';
import type { Endpoint } from '../schema/fields.ts';

/**
 * Binds the server. Resolves with the address, which includes the port if the system chose it.
 *
 * @throws Error with the endpoint and a fix, if it cannot be bound.
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
    EADDRNOTAVAIL: `${where} is not an address of this machine: choose 127.0.0.1 or 0.0.0.0`,
    EACCES: `${where} cannot be bound by this user: choose a port above 1023`,
    ENOTFOUND: `${where} contains a host name that cannot be resolved`,
  };
  return new Error(reasons[error.code ?? ''] ?? `${where} cannot be bound: ${error.message}`, { cause: error });
}

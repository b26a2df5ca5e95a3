import { createServer } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Endpoint } from '../schema/fields.ts';
import type { Finding } from '../component.ts';
import { close, formatEndpoint, listen } from './http-server.ts';
import type { ServerTlsConfig } from '../schema/tls.ts';
import { readTlsFiles } from './tls.ts';

/** Checks that a server can start: binds the address for a moment and reads the TLS files. */
export async function* listeningFindings(server: {
  readonly endpoint: Endpoint;
  readonly tls?: ServerTlsConfig | undefined;
}): AsyncGenerator<Finding> {
  yield await bindingFinding(server.endpoint);
  if (server.tls === undefined) return;
  try {
    await readTlsFiles(server.tls);
  } catch (error) {
    yield { severity: 'error', what: (error as Error).message };
  }
}

async function bindingFinding(endpoint: Endpoint): Promise<Finding> {
  const where = formatEndpoint(endpoint);
  const server = createServer();
  try {
    await listen(server, endpoint);
    await close(server, AbortSignal.abort());
    return { severity: 'ok', what: `${where} is free` };
  } catch (error) {
    const { message, cause } = error as Error;
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') return { severity: 'error', what: message };
    const repair =
      'This is expected if the sidecar is running. Otherwise stop the process that listens there, or choose another port';
    return { severity: 'warning', what: `${where} is already in use`, repair };
  }
}

export interface Reaching {
  readonly timeoutMs: number;
  /** For https. */
  readonly tls?: ConnectionOptions;
}

/** Checks that the server accepts connections, for https with a trusted certificate. Does not send a request. */
export async function reachingFinding(url: URL, { timeoutMs, tls = {} }: Reaching): Promise<Finding> {
  const isTls = url.protocol === 'https:';
  const host = url.hostname.replaceAll(/[[\]]/g, '');
  const port = Number(url.port || (isTls ? 443 : 80));
  const startedAt = performance.now();
  const socket = isTls
    ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...tls })
    : connectTcp({ host, port });
  try {
    await connected(socket, isTls ? 'secureConnect' : 'connect', timeoutMs);
    return {
      severity: 'ok',
      what: `${url.origin} accepts connections (${Math.round(performance.now() - startedAt)} ms)`,
    };
  } catch (error) {
    const what = `${url.origin} cannot be reached: ${(error as Error).message}`;
    return { severity: 'error', what, repair: 'Check the address and the network, and that the server is running' };
  } finally {
    socket.destroy();
  }
}

function connected(socket: Socket, event: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(timeoutMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)));
    socket.once('error', reject);
    socket.once(event, () => resolve());
  });
}

import { createServer } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import type { Endpoint } from '../schema/fields.ts';
import type { Finding } from '../component.ts';
import { connectionOptions, type ClientTls } from './client-tls.ts';
import { proxyFor, type ProxyEnvironment } from './proxy-settings.ts';
import { addressOf, openTunnel } from './tunnel-agent.ts';
import { close, formatEndpoint, listen } from './http-server.ts';
import type { ServerTlsConfig } from '../schema/tls.ts';
import { readContext } from './tls.ts';
import { listeningProcess, type ListeningProcess } from './listening-process.ts';

/** Checks that a server can start: binds the address for a moment and reads the TLS files. */
export async function* listeningFindings(server: {
  readonly endpoint: Endpoint;
  readonly tls?: ServerTlsConfig | undefined;
}): AsyncGenerator<Finding> {
  yield await bindingFinding(server.endpoint);
  if (server.tls === undefined) return;
  try {
    createSecureContext(await readContext(server.tls));
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
    return takenFinding(where, listeningProcess(endpoint.port));
  }
}

function takenFinding(where: string, by: ListeningProcess | undefined): Finding {
  if (by?.is === 'sidecar')
    return { severity: 'ok', what: `${where} is in use by the sidecar with this configuration, process ${by.pid}` };
  const stop = 'Stop it, or choose another port';
  if (by?.is === 'siphon') {
    const what = `${where} is already in use by siphon with other arguments, process ${by.pid}`;
    return { severity: 'warning', what, repair: `If that is not the sidecar that is examined: ${stop.toLowerCase()}` };
  }
  if (by !== undefined) {
    const what = `${where} is already in use by process ${by.pid} (${by.program}), which is not siphon`;
    return { severity: 'warning', what, repair: stop };
  }
  const repair =
    'This is expected if the sidecar is running. Otherwise stop the process that listens there, or choose another port';
  return { severity: 'warning', what: `${where} is already in use`, repair };
}

export interface Reaching {
  readonly timeoutMs: number;
  /** For https. */
  readonly tls?: ClientTls;
  /** Instead of those of the environment. */
  readonly proxy?: URL | undefined;
  /** Contains `HTTPS_PROXY` and so on; by default that of the process. */
  readonly environment?: ProxyEnvironment;
}

/** Checks that the server accepts connections, for https with a trusted certificate. Does not send a request. */
export async function reachingFinding(
  url: URL,
  { timeoutMs, tls = {}, proxy: chosen, environment = process.env }: Reaching,
): Promise<Finding> {
  const startedAt = performance.now();
  let socket: Socket | undefined;
  try {
    const proxy = chosen ?? proxyFor(url, environment);
    socket = await connect(url, proxy, tls);
    await connected(socket, url.protocol === 'https:' ? 'secureConnect' : 'connect', timeoutMs);
    const who = proxy === undefined ? url.origin : `${url.origin}, through the proxy ${proxy.host},`;
    return { severity: 'ok', what: `${who} accepts connections (${Math.round(performance.now() - startedAt)} ms)` };
  } catch (error) {
    const what = `${url.origin} cannot be reached: ${(error as Error).message}`;
    return { severity: 'error', what, repair: 'Check the address and the network, and that the server is running' };
  } finally {
    socket?.destroy();
  }
}

/** For http through a proxy, the connection to the proxy. */
async function connect(url: URL, proxy: URL | undefined, tls: ClientTls): Promise<Socket> {
  const { host, port } = addressOf(url);
  if (url.protocol === 'http:') return connectTcp(proxy === undefined ? { host, port } : addressOf(proxy));
  const options = { ...(isIP(host) ? {} : { servername: host }), ...connectionOptions(tls) };
  if (proxy === undefined) return connectTls({ host, port, ...options });
  return connectTls({ socket: await openTunnel(proxy, `${url.hostname}:${port}`), host, ...options });
}

function connected(socket: Socket, event: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(timeoutMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)));
    socket.once('error', reject);
    socket.once(event, () => resolve());
  });
}

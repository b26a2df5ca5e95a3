import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import type { SecureContextOptions } from 'node:tls';
import type { ServerTlsConfig } from '../schema/tls.ts';
import { readAuthorities, readIdentity } from './tls-files.ts';

const MAX_HEADERS = 10_000;
/** As in the stock Collector: browsers send long cookies. */
export const MAX_HEADER_BYTES = 1024 * 1024;

/**
 * An HTTP server, or an HTTPS server if `tls` is set.
 *
 * @throws Error with the key and the file, if a file cannot be read.
 */
export async function createServerFor(
  tls: ServerTlsConfig | undefined,
  options: ServerOptions,
  listener: RequestListener,
): Promise<Server> {
  const server = await create(tls, { ...options, maxHeaderSize: MAX_HEADER_BYTES }, listener);
  server.maxHeadersCount = MAX_HEADERS;
  return server;
}

async function create(
  tls: ServerTlsConfig | undefined,
  options: ServerOptions,
  listener: RequestListener,
): Promise<Server> {
  if (tls === undefined) return createServer(options, listener);
  const { createServer: createTlsServer } = await import('node:https');
  return createTlsServer({ ...options, ...(await readContext(tls)) }, listener);
}

/**
 * The options of a TLS server, also for replacing its certificates later.
 *
 * @throws Error with the key and the file, if a file cannot be read.
 */
export async function readContext(
  tls: ServerTlsConfig,
): Promise<SecureContextOptions & { readonly requestCert: boolean }> {
  const identity = await readIdentity(tls);
  const ca = await readAuthorities('client_ca', tls.client_ca_file);
  return { ...identity, requestCert: ca !== undefined, ...(ca === undefined ? {} : { ca }) };
}

/** Gives new connections of a TLS server, over HTTP or HTTP/2, another certificate. */
export function replaceContext(server: object, context: SecureContextOptions): void {
  if (hasSecureContext(server)) server.setSecureContext(context);
}

function hasSecureContext(server: object): server is { setSecureContext(options: SecureContextOptions): void } {
  return 'setSecureContext' in server;
}

import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import type { SecureContextOptions } from 'node:tls';
import type { ServerTlsConfig } from '../schema/tls.ts';

/** A server's certificate and key, and the authorities of client certificates. In PEM. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer | undefined;
}

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
  const { cert, key, clientCa } = await readTlsFiles(tls);
  const authorities = clientCa === undefined ? {} : { ca: clientCa };
  return { cert, key, minVersion: `TLSv${tls.min_version}`, requestCert: clientCa !== undefined, ...authorities };
}

/** @throws Error with the key and the file, if a file cannot be read. */
export async function readTlsFiles(config: ServerTlsConfig): Promise<TlsFiles> {
  const [cert, key, clientCa] = await Promise.all([
    read('cert_file', config.cert_file),
    read('key_file', config.key_file),
    config.client_ca_file === undefined ? undefined : read('client_ca_file', config.client_ca_file),
  ]);
  return { cert, key, clientCa };
}

async function read(key: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new Error(`tls.${key}: ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

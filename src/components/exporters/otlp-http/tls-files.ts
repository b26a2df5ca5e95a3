import { readFile } from 'node:fs/promises';
import type { HttpClientOptions } from '../../../engine/net/http-client.ts';
import type { ClientTlsConfig } from './config.ts';

/** @throws Error that names the file, if one cannot be read. */
export async function readTls(tls: ClientTlsConfig): Promise<NonNullable<HttpClientOptions['tls']>> {
  const [ca, cert, key] = await Promise.all([tls.ca_file, tls.cert_file, tls.key_file].map(readOptional));
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: !tls.insecure_skip_verify,
  };
}

async function readOptional(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  return await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Error(`the TLS file ${path} cannot be read: ${String(cause)}`, { cause });
  });
}

import type { Logger } from 'pino';
import type { Endpoint } from '../schema/fields.ts';
import { formatEndpoint } from './http-server.ts';

interface Bound {
  readonly endpoint: Endpoint;
  readonly transport?: 'http' | 'grpc' | undefined;
}

/** The protections of a server. */
interface Guard {
  readonly tls?: unknown;
  readonly auth?: unknown;
}

/**
 * Logs where a server listens, and warns if other machines can reach it without TLS and authentication.
 *
 * @param guard undefined for a server that supports neither.
 */
export function announce(logger: Logger, { endpoint, transport }: Bound, guard?: Guard): void {
  const fields = { endpoint: formatEndpoint(endpoint), ...(transport === undefined ? {} : { transport }) };
  logger.info(fields, 'Listening');
  if (isLoopback(endpoint.host) || guard?.tls !== undefined || guard?.auth !== undefined) return;
  if (guard !== undefined)
    logger.warn(fields, 'Other machines can reach this address without TLS or authentication: set tls and auth');
  else logger.warn(fields, 'Other machines can reach this address, which has no TLS or authentication');
}

/** True if only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(?:::ffff:)?127(?:\.\d+){3}$/.test(host);
}

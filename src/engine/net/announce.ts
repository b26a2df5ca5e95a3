import type { Logger } from 'pino';
import type { Endpoint } from '../schema/fields.ts';
import { formatEndpoint } from './http-server.ts';

interface Bound {
  readonly endpoint: Endpoint;
  readonly transport?: 'http' | 'grpc' | undefined;
}

/** What guards a server: TLS, or that it asks who its clients are. */
interface Guard {
  readonly tls?: unknown;
  readonly auth?: unknown;
}

/** Logs where a server listens, and warns if other machines reach it and nothing guards it. */
export function announce(logger: Logger, { endpoint, transport }: Bound, { tls, auth }: Guard): void {
  const fields = { endpoint: formatEndpoint(endpoint), ...(transport === undefined ? {} : { transport }) };
  logger.info(fields, 'Listening');
  if (tls === undefined && auth === undefined && !isLoopback(endpoint.host)) {
    logger.warn(fields, 'Other machines may reach this address, without TLS or authentication: set tls and auth');
  }
}

/** Whether an address leads to this machine, and nobody else reaches it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(?:::ffff:)?127(?:\.\d+){3}$/.test(host);
}

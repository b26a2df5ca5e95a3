import type { Logger } from 'pino';
import type { Endpoint } from '../config/fields.ts';
import { formatEndpoint } from './http-server.ts';

interface Bound {
  readonly endpoint: Endpoint;
  readonly transport?: 'http' | 'grpc';
  /** Whether the server has TLS or asks who its clients are. */
  readonly isGuarded: boolean;
}

/** Logs where a server listens, and warns if other machines reach it and nothing guards it. */
export function announce(logger: Logger, { endpoint, transport, isGuarded }: Bound): void {
  const fields = { endpoint: formatEndpoint(endpoint), ...(transport === undefined ? {} : { transport }) };
  logger.info(fields, 'Listening');
  if (!isGuarded && !isLoopback(endpoint.host)) {
    logger.warn(fields, 'Other machines may reach this address, without TLS or authentication: set tls and auth');
  }
}

/** Whether an address leads to this machine, and nobody else reaches it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(?:::ffff:)?127(?:\.\d+){3}$/.test(host);
}

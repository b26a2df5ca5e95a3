import { formatEndpoint } from '../engine/net/http-server.ts';
import { isEveryAddress } from '../engine/schema/fields.ts';

/** The part of the configuration of a component with a server that leads to it. */
export interface ServerAddress {
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly tls?: unknown;
}

/** Where this machine reaches the server, as `http://host:port`. */
export function addressOf({ endpoint: { host, port }, tls }: ServerAddress): string {
  const scheme = tls === undefined ? 'http' : 'https';
  return `${scheme}://${formatEndpoint({ host: isEveryAddress(host) ? '127.0.0.1' : host, port })}`;
}

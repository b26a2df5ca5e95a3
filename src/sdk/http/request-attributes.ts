/** Reads the target and the sender of a request from its head. */
import type { IncomingHttpHeaders } from 'node:http';

/** The path and the query of a request target, as they were sent. */
export function pathOf(target: string): { readonly path: string; readonly query: string | undefined } {
  // Proxies send the whole URL.
  const text = target.startsWith('/') ? target : target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '');
  const [beforeFragment = ''] = text.split('#', 1);
  const mark = beforeFragment.indexOf('?');
  if (mark < 0) return { path: beforeFragment === '' ? '/' : beforeFragment, query: undefined };
  const query = beforeFragment.slice(mark + 1);
  return { path: beforeFragment.slice(0, mark) || '/', query: query === '' ? undefined : query };
}

interface Address {
  readonly address?: string;
  readonly port?: number;
}

/** The host that the client asked: proxies forward it in headers of their own. */
export function addressOf(headers: IncomingHttpHeaders, scheme: string): Address {
  const forwarded = parameterOf(headers.forwarded, 'host');
  if (forwarded !== undefined) return split(forwarded, parameterOf(headers.forwarded, 'proto'));
  const [host] = valuesOf(headers['x-forwarded-host']);
  if (host !== undefined) return split(host, valuesOf(headers['x-forwarded-proto'])[0]);
  return headers.host === undefined || headers.host === '' ? {} : split(headers.host, scheme);
}

/** The address of the client: the first that a proxy forwards, or that of the connection. */
export function clientOf(headers: IncomingHttpHeaders, peer: string | undefined): string | undefined {
  const forwarded = parameterOf(headers.forwarded, 'for') ?? valuesOf(headers['x-forwarded-for'])[0];
  return forwarded === undefined ? peer : split(forwarded, undefined).address?.replaceAll(/[[\]]/g, '');
}

const DEFAULT_PORTS: Readonly<Record<string, number | undefined>> = { http: 80, https: 443 };

/** An IPv6 address is in brackets if a port follows. */
function split(host: string, scheme: string | undefined): Address {
  const colon = host.lastIndexOf(':');
  const hasPort = colon > 0 && (host.indexOf(':') === colon || host[colon - 1] === ']');
  const port = hasPort ? Number(host.slice(colon + 1)) : DEFAULT_PORTS[scheme ?? ''];
  const address = hasPort ? host.slice(0, colon) : host;
  return port !== undefined && Number.isInteger(port) ? { address, port } : { address };
}

/** A parameter of the first proxy in `Forwarded: for=…;host=…, for=…`. */
function parameterOf(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(/[;,]/, MAX_PAIRS)) {
    const [key = '', value = ''] = pair.split('=', 2);
    if (key.trim().toLowerCase() === name) return value.trim().replaceAll('"', '') || undefined;
  }
  return undefined;
}

const MAX_PAIRS = 20;

function valuesOf(header: string | readonly string[] | undefined): string[] {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  return text === '' ? [] : [text.split(',', 1)[0]!.trim()].filter((value) => value !== '');
}

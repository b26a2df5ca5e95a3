/** Reads and completes the arguments of HTTP/2 clients. */
import { propagation, type Context } from '@opentelemetry/api';

/** The parts of Node's class `ClientHttp2Session`. */
export interface Http2Session {
  readonly destroyed: boolean;
  readonly socket: { readonly bytesRead: number; readonly destroyed: boolean };
  destroy: (this: Http2Session, ...args: unknown[]) => unknown;
  request: (this: Http2Session, ...args: unknown[]) => Http2Stream;
}

/** The parts of Node's class `ClientHttp2Stream`. */
export interface Http2Stream {
  readonly session?: Http2Session;
  readonly closed: boolean;
  readonly readableDidRead: boolean;
  readonly destroyed: boolean;
  push: (this: Http2Stream, ...args: unknown[]) => unknown;
  close: (this: Http2Stream, ...args: unknown[]) => unknown;
  destroy: (this: Http2Stream, ...args: unknown[]) => unknown;
  emit: (this: Http2Stream, event: string | symbol, ...args: unknown[]) => boolean;
}

export interface Target {
  /** `http` or `https`. */
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
}

/** From the arguments of `connect`: an address, or an object like one. */
export function targetOf(authority: unknown, options: unknown): Target {
  const address = typeof authority === 'string' ? URL.parse(authority) : authority;
  const { protocol, hostname, host, port } = { ...LOCAL, ...(options as Partial<URL>), ...partsOf(address) };
  const scheme = protocol.replace(/:$/, '');
  return { scheme, host: hostname || host, port: Number(port) || (scheme === 'http' ? 80 : 443) };
}

const LOCAL = { protocol: 'https:', hostname: '', host: 'localhost', port: '' };

/** The parts of a URL are getters. */
function partsOf(address: unknown): Partial<URL> {
  if (typeof address !== 'object' || address === null) return {};
  const entries = Object.keys(LOCAL).map((part) => [part, (address as Record<string, unknown>)[part]]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Partial<URL>;
}

/** Headers as an object or, from Node 24 on, as a list of names and values. */
type Headers = Readonly<Record<string, unknown>> | readonly unknown[];

export interface Http2Request {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  /** The headers of the application with those of the context, where it has not set them itself. */
  readonly headersWithin: (within: Context) => Headers;
}

/** Returns undefined for what Node refuses, or reads differently. */
export function readRequest(given: unknown): Http2Request | undefined {
  const headers = given === undefined ? {} : given;
  if (!isList(headers) && !isPlainObject(headers)) return undefined;
  const byName = new Map(pairsOf(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const textOf = (name: string, fallback: string): string => {
    const value = byName.get(name);
    return typeof value === 'string' ? value : fallback;
  };
  return {
    method: textOf(':method', 'GET').toUpperCase(),
    path: textOf(':path', '/'),
    contentType: textOf('content-type', ''),
    headersWithin: (within) => {
      const injected: Record<string, string> = {};
      propagation.inject(within, injected);
      const added = Object.entries(injected).filter(([name]) => !byName.has(name));
      if (!isList(headers)) return { ...headers, ...Object.fromEntries(added) };
      // A list may have properties, too: the names of its sensitive headers.
      const list = Object.assign([...headers], headers);
      list.push(...added.flat());
      return list;
    },
  };
}

function pairsOf(headers: Headers): readonly (readonly [name: string, value: unknown])[] {
  if (!isList(headers)) return Object.entries(headers);
  return headers.flatMap((name, index) => (index % 2 === 0 ? [[String(name), headers[index + 1]] as const] : []));
}

function isList(headers: unknown): headers is readonly unknown[] {
  if (!Array.isArray(headers) || headers.length % 2 !== 0) return false;
  return headers.every((name, index) => index % 2 === 1 || typeof name === 'string');
}

function isPlainObject(headers: unknown): headers is Readonly<Record<string, unknown>> {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return false;
  const prototype: unknown = Object.getPrototypeOf(headers);
  // `Object.prototype` of another realm has no prototype either.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** undici marks its sessions so; its requests, those of `fetch` included, are observed where it publishes them. */
const OF_UNDICI = 'open streams';

export function isOfUndici(session: Http2Session): boolean {
  return Object.getOwnPropertySymbols(session).some(({ description }) => description === OF_UNDICI);
}

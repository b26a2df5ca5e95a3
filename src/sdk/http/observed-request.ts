/** The span and the measurement of a request that a server answers. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import {
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { RPCType, setRPCMetadata, type RPCMetadata } from '@opentelemetry/core';
import { measuring } from '../exemplars/measured-span.ts';
import { failSpan } from './failed-requests.ts';
import { addressOf, clientOf, pathOf } from './request-attributes.ts';
import { completeRoute } from './server-requests.ts';

export interface IncomingSettings {
  /** The tracer at the moment: there is another one when the SDK has started. */
  readonly tracer: () => Tracer;
  /** Seconds and attributes of `http.server.request.duration`. */
  readonly record: (seconds: number, attributes: Attributes) => void;
  /** True to record addresses of clients, which are left out otherwise. */
  readonly personal: boolean;
}

/** The head of a request, as `IncomingMessage` has it. */
export interface RequestHead {
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly socket?: Pick<Socket, 'remoteAddress' | 'remotePort'> | undefined;
}

/** How a request has ended: with an error, with a complete response, or without one. */
export type End = { readonly error: unknown } | { readonly status: number } | 'incomplete';

/** Refers to neither the request nor the response, which would keep each other alive for longer. */
export class ObservedRequest {
  /** Its handlers run within this context. */
  readonly within: Context;
  readonly metadata: RPCMetadata;
  readonly #method: string;
  readonly #span: Span;
  readonly #record: IncomingSettings['record'];
  readonly #startedAtMs = performance.now();
  #hasEnded = false;

  constructor(head: RequestHead, scheme: string, { tracer, record, personal }: IncomingSettings) {
    const parent = propagation.extract(ROOT_CONTEXT, head.headers);
    const attributes = attributesOf(head, scheme, personal);
    this.#method = head.method ?? 'GET';
    this.#record = record;
    this.#span = tracer().startSpan(this.#method, { kind: SpanKind.SERVER, attributes }, parent);
    this.metadata = { type: RPCType.HTTP, span: this.#span };
    this.within = setRPCMetadata(trace.setSpan(parent, this.#span), this.metadata);
  }

  /** Later calls do nothing. */
  end(request: object, end: End): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const span = this.#span;
    completeRoute(request, span, this.metadata);
    const { route } = this.metadata;
    if (route !== undefined) span.setAttribute('http.route', route).updateName(`${this.#method} ${route}`);
    const outcome = describeEnd(span, end);
    span.end();
    const seconds = (performance.now() - this.#startedAtMs) / 1000;
    // A duration belongs to the span that it measures: the active one may be another.
    measuring(span, () => this.#record(seconds, measuredAs(this.#method, route, outcome)));
  }
}

/** The client gave up, or the service destroyed the connection, before the whole response was written. */
const CONNECTION_CLOSED = 'connection_closed';

/** An unfinished response has no status. */
function describeEnd(span: Span, end: End): Outcome {
  if (end === 'incomplete') {
    span.setAttribute('error.type', CONNECTION_CLOSED).setStatus({ code: SpanStatusCode.ERROR });
    return { error: CONNECTION_CLOSED };
  }
  if ('error' in end) return { error: failSpan(span, end.error) };
  const { status } = end;
  span.setAttribute('http.response.status_code', status);
  if (status < 500) return { status };
  span.setAttribute('error.type', String(status)).setStatus({ code: SpanStatusCode.ERROR });
  return { status, error: String(status) };
}

interface Outcome {
  readonly status?: number;
  /** As in `error.type`. */
  readonly error?: string;
}

/** Frozen, so that what the SDK computes of them is computed once. A service has few. */
const measuredBefore = new Map<string, Attributes>();
const MAX_REMEMBERED = 2000;

function measuredAs(method: string, route: string | undefined, { status, error }: Outcome): Attributes {
  const key = `${method} ${status} ${error} ${route}`;
  const before = measuredBefore.get(key);
  if (before !== undefined) return before;
  const attributes = Object.freeze({
    'http.request.method': method,
    ...(route !== undefined && { 'http.route': route }),
    ...(status !== undefined && { 'http.response.status_code': status }),
    ...(error !== undefined && { 'error.type': error }),
  });
  if (measuredBefore.size < MAX_REMEMBERED) measuredBefore.set(key, attributes);
  return attributes;
}

function attributesOf(request: RequestHead, scheme: string, personal: boolean): Attributes {
  const { headers, httpVersion, method = 'GET', url = '/' } = request;
  const { path, query } = pathOf(url);
  const { address, port } = addressOf(headers, scheme);
  const attributes: Attributes = {
    'http.request.method': method,
    'url.scheme': scheme,
    'url.path': path,
    'network.protocol.version': httpVersion,
  };
  if (query !== undefined) attributes['url.query'] = query;
  if (address !== undefined) attributes['server.address'] = address;
  if (port !== undefined) attributes['server.port'] = port;
  if (headers['user-agent'] !== undefined) attributes['user_agent.original'] = headers['user-agent'];
  return personal ? { ...attributes, ...senderOf(request) } : attributes;
}

/** A connection that is gone has no address. */
function senderOf({ headers, socket }: RequestHead): Attributes {
  const { remoteAddress: peer, remotePort: port } = socket ?? {};
  const client = clientOf(headers, peer);
  return {
    ...(client !== undefined && { 'client.address': client }),
    ...(peer !== undefined && { 'network.peer.address': peer }),
    ...(port !== undefined && { 'network.peer.port': port }),
  };
}

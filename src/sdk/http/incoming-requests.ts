/** Observes the requests that the servers of the process answer, in place of the instrumentation of http, at half its cost. */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  context,
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
import { completeRoute, isRemembered, rememberRequest } from './server-requests.ts';
import { attachment } from './attachment.ts';
import { failClosed, failSpan } from './failed-requests.ts';
import { addressOf, clientOf, pathOf } from './request-attributes.ts';

export interface IncomingSettings {
  /** The tracer at the moment: there is another one when the SDK has started. */
  readonly tracer: () => Tracer;
  /** Seconds and attributes of `http.server.request.duration`. */
  readonly record: (seconds: number, attributes: Attributes) => void;
  /** True to record addresses of clients, which are left out otherwise. */
  readonly personal: boolean;
}

/** Begins the span of a request, and runs what handles the request within it. */
export type Observe = (
  request: IncomingMessage,
  response: ServerResponse,
  scheme: string,
  handle: () => unknown,
) => unknown;

export function observerOf(settings: IncomingSettings): Observe {
  return (request, response, scheme, handle) => {
    if (isRemembered(request)) return handle();
    const parent = propagation.extract(ROOT_CONTEXT, request.headers);
    const attributes = attributesOf(request, scheme, settings.personal);
    const method = request.method ?? 'GET';
    const span = settings.tracer().startSpan(method, { kind: SpanKind.SERVER, attributes }, parent);
    const metadata: RPCMetadata = { type: RPCType.HTTP, span };
    const within = setRPCMetadata(trace.setSpan(parent, span), metadata);
    rememberRequest(request, metadata);
    const observed = new ObservedRequest(within, span, metadata, settings.record);
    requests.add(request, observed);
    responses.add(response, observed);
    return context.with(within, () => {
      try {
        return handle();
      } catch (error) {
        observed.end(response, { error });
        throw error;
      }
    });
  };
}

interface Failure {
  readonly error: unknown;
}

/** Refers to neither the request nor the response, which would keep each other alive for longer. */
class ObservedRequest {
  readonly within: Context;
  readonly #span: Span;
  readonly #metadata: RPCMetadata;
  readonly #record: IncomingSettings['record'];
  readonly #startedAtMs = performance.now();
  #hasEnded = false;

  constructor(within: Context, span: Span, metadata: RPCMetadata, record: IncomingSettings['record']) {
    this.within = within;
    this.#span = span;
    this.#metadata = metadata;
    this.#record = record;
  }

  /** Later calls do nothing. */
  end(response: ServerResponse, failure?: Failure): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const span = this.#span;
    const method = response.req.method ?? 'GET';
    completeRoute(response.req, span, this.#metadata);
    const { route } = this.#metadata;
    if (route !== undefined) span.setAttribute('http.route', route).updateName(`${method} ${route}`);
    const outcome = failure === undefined ? finish(span, response) : { error: failSpan(span, failure.error) };
    span.end();
    const seconds = (performance.now() - this.#startedAtMs) / 1000;
    // A duration belongs to the span that it measures: the active one may be another.
    measuring(span, () => this.#record(seconds, measuredAs(method, route, outcome)));
  }
}

const requests = attachment<ObservedRequest>();
const responses = attachment<ObservedRequest>();

/** The client gave up, or the service destroyed the connection: an unfinished response has no status. */
function finish(span: Span, response: ServerResponse): Outcome {
  if (!response.writableFinished) return { error: failClosed(span) };
  const { statusCode: status } = response;
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

/**
 * Runs the listeners of observed requests and responses within the context of their request: events of the connection
 * arrive outside of it. The method is that of the class: one for each object would make all calls of `emit` slow.
 *
 * @returns a function that undoes it.
 */
export function observeEvents(request: EventClass, response: EventClass): () => void {
  patchEmit(request, requests.of);
  patchEmit(response, (emitter, event, error) => {
    const observed = responses.of(emitter);
    if (event === 'close') observed?.end(emitter as ServerResponse);
    else if (event === 'error') observed?.end(emitter as ServerResponse, { error });
    return observed;
  });
  return () => [request, response].forEach(({ prototype }) => Reflect.deleteProperty(prototype, 'emit'));
}

type EventClass = { readonly prototype: EventEmitter };

function patchEmit(
  { prototype }: EventClass,
  observedOf: (emitter: EventEmitter, event: unknown, value: unknown) => ObservedRequest | undefined,
): void {
  const parent = Object.getPrototypeOf(prototype) as EventEmitter;
  const emit = function emitObserved(this: EventEmitter, ...args: Parameters<EventEmitter['emit']>): boolean {
    const observed = observedOf(this, args[0], args[1]);
    if (observed === undefined || context.active() === observed.within) return parent.emit.apply(this, args);
    return context.with(observed.within, () => parent.emit.apply(this, args));
  };
  Object.defineProperty(prototype, 'emit', { value: emit, writable: true, configurable: true });
}

function attributesOf(request: IncomingMessage, scheme: string, personal: boolean): Attributes {
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
function senderOf({ headers, socket }: IncomingMessage): Attributes {
  const { remoteAddress: peer, remotePort: port } = socket;
  const client = clientOf(headers, peer);
  return {
    ...(client !== undefined && { 'client.address': client }),
    ...(peer !== undefined && { 'network.peer.address': peer }),
    ...(port !== undefined && { 'network.peer.port': port }),
  };
}

/** Observes the requests that the servers of the process answer, in place of the instrumentation of http, at half its cost. */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { context } from '@opentelemetry/api';
import { attachment } from './attachment.ts';
import { ObservedRequest, type IncomingSettings } from './observed-request.ts';
import { isRemembered, rememberRequest } from './server-requests.ts';

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
    const observed = new ObservedRequest(request, scheme, settings);
    rememberRequest(request, observed.metadata);
    requests.add(request, observed);
    responses.add(response, observed);
    return context.with(observed.within, () => {
      try {
        return handle();
      } catch (error) {
        observed.end(request, { error });
        throw error;
      }
    });
  };
}

const requests = attachment<ObservedRequest>();
const responses = attachment<ObservedRequest>();

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
    if (observed === undefined) return undefined;
    const { req, writableFinished, statusCode: status } = emitter as ServerResponse;
    if (event === 'close') observed.end(req, writableFinished ? { status } : 'incomplete');
    else if (event === 'error') observed.end(req, { error });
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

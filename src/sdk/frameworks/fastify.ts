/** Reports the routes and the errors of Fastify, which publishes its servers and, since version 5, calls of handlers. */
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { InstrumentationBase } from '@opentelemetry/instrumentation';
import { recordFailure, setRoute } from '../http/server-requests.ts';

const INITIALIZATION = 'fastify.initialization';
const handlerCalls = tracingChannel('fastify.request.handler');

/** Works in bundles, because nothing is patched. */
export class FastifyInstrumentation extends InstrumentationBase {
  constructor() {
    super('siphon-otel/fastify', '0.1.0', {});
  }

  protected override init(): void {
    return;
  }

  override enable(): void {
    subscribe(INITIALIZATION, onInitialization);
    handlerCalls.error.subscribe(onError);
  }

  override disable(): void {
    unsubscribe(INITIALIZATION, onInitialization);
    handlerCalls.error.unsubscribe(onError);
  }
}

interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly is404?: boolean;
  /** Since version 4.10; before, in the context of the route. */
  readonly routeOptions?: { readonly url?: string };
  readonly routerPath?: string;
}

interface Fastify {
  addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: unknown, done: () => void) => void): unknown;
  addHook(
    name: 'onError',
    hook: (request: FastifyRequest, reply: unknown, error: unknown, done: () => void) => void,
  ): unknown;
}

/** The hooks also see requests that other hooks answer or fail. */
function onInitialization(message: unknown): void {
  const { fastify } = message as { readonly fastify: Fastify };
  fastify.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions === undefined ? request.routerPath : request.routeOptions.url;
    if (route !== undefined && request.is404 !== true) setRoute(route, request.raw);
    done();
  });
  fastify.addHook('onError', (request, _reply, error, done) => {
    recordFailure(error, request.raw);
    done();
  });
}

/** The hook does not see errors that the service's own error handler answers. */
function onError(message: unknown): void {
  const { request, error } = message as { readonly request: FastifyRequest; readonly error: unknown };
  recordFailure(error, request.raw);
}

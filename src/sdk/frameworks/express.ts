/** Reports the routes and the errors of Express. */
import { tracingChannel } from 'node:diagnostics_channel';
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile,
  type InstrumentationModuleDefinition,
} from '@opentelemetry/instrumentation';
import { recordFailure, setRoute } from '../http/server-requests.ts';
import { rememberMount, routeIn, type ExpressRequest, type Pattern } from './express-mounts.ts';

/**
 * Express 5 with router 2.3 publishes each call of a handler, also from within a bundle. In older versions the calls are
 * patched, in a file that Express itself loads with `require`.
 */
export class ExpressInstrumentation extends InstrumentationBase {
  constructor() {
    super('siphon-otel/express', '0.1.0', {});
  }

  protected override init(): InstrumentationModuleDefinition[] {
    return [
      this.layers('express', 'express/lib/router/layer.js', '>=4.0.0 <5', 'handle_request'),
      this.layers('router', 'router/lib/layer.js', '>=2.0.0 <2.3.0', 'handleRequest'),
    ];
  }

  private layers(
    name: string,
    file: string,
    versions: string,
    method: HandleMethod,
  ): InstrumentationNodeModuleDefinition {
    const patch = (original: LayerClass): LayerClass => {
      this['_wrap'](original.prototype, method, observed);
      return withPattern(original);
    };
    const unpatch = (patched?: LayerClass): void => {
      if (patched !== undefined) this['_unwrap'](patched.prototype, method);
    };
    const files = [new InstrumentationNodeModuleFile(file, [versions], patch, unpatch)];
    return new InstrumentationNodeModuleDefinition(name, [versions], undefined, undefined, files);
  }

  override enable(): void {
    super.enable();
    handlerCalls.start.subscribe(onCall);
    handlerCalls.error.subscribe(onError);
  }

  override disable(): void {
    super.disable();
    handlerCalls.start.unsubscribe(onCall);
    handlerCalls.error.unsubscribe(onError);
  }
}

const handlerCalls = tracingChannel('express.router.request');

/** A message of the channel. `route` is the pattern that matched in the router of this layer. */
interface HandlerCall {
  readonly req: ExpressRequest;
  readonly layer: object;
  readonly route?: Pattern;
  readonly errorHandler?: boolean;
  readonly error?: unknown;
}

function onCall(message: unknown): void {
  const { req, layer, route, errorHandler } = message as HandlerCall;
  if (errorHandler !== true && route !== undefined) enter(req, layer, route);
}

function onError(message: unknown): void {
  const { req, error } = message as HandlerCall;
  recordFailure(error, req);
}

/** Only the handlers of a route have a method, which is undefined for all methods. */
function enter(request: ExpressRequest, layer: object, pattern: Pattern): void {
  if ('method' in layer) setRoute(routeIn(request, pattern), request);
  else if (rememberMount(request, pattern)) setRoute(routeIn(request, '/'), request);
}

type HandleMethod = 'handle_request' | 'handleRequest';
type Handle = (this: Layer, request: ExpressRequest, response: object, next: Next) => unknown;
type Next = (error?: unknown) => unknown;

interface Layer {
  readonly handle: { readonly length: number };
  /** Set on the layer that calls the handlers of a route. */
  readonly route?: object;
}

interface LayerClass {
  new (path: Pattern, options: unknown, handler: unknown): Layer;
  readonly prototype: { [Method in HandleMethod]: Handle };
}

/** Layers keep their pattern only as an expression that matches it. */
const patterns = new WeakMap<Layer, Pattern>();

/** Express calls the constructor with and without `new`. */
function withPattern(Original: LayerClass): LayerClass {
  function PatchedLayer(path: Pattern, options: unknown, handler: unknown): Layer {
    const layer = new Original(path, options, handler);
    patterns.set(layer, path);
    return layer;
  }
  PatchedLayer.prototype = Original.prototype;
  return PatchedLayer as unknown as LayerClass;
}

function observed(original: Handle): Handle {
  return function observedHandle(request, response, next) {
    const pattern = 'method' in this ? request.route?.path : patterns.get(this);
    if (this.route !== undefined || this.handle.length > 3) return original.call(this, request, response, next);
    enter(request, this, pattern);
    return original.call(this, request, response, (error) => {
      if (error !== undefined && error !== null && error !== 'route' && error !== 'router')
        recordFailure(error, request);
      return next(error);
    });
  };
}

/** Reports the routes of koa-router and @koa/router, and the errors of Koa. */
import type { IncomingMessage } from 'node:http';
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile,
  type InstrumentationModuleDefinition,
} from '@opentelemetry/instrumentation';
import { recordFailure, setRoute } from '../http/server-requests.ts';

const VERSIONS = ['>=2.0.0 <4'];

/** Patches what every context inherits, in a file that Koa itself loads with `require`. */
export class KoaInstrumentation extends InstrumentationBase {
  constructor() {
    super('siphon-otel/koa', '0.1.0', {});
  }

  protected override init(): InstrumentationModuleDefinition {
    const patch = (context: KoaContext): KoaContext => {
      this['_wrap'](context, 'onerror', withFailure);
      Object.defineProperty(context, ROUTE, { configurable: true, set: setMatchedRoute });
      return context;
    };
    const unpatch = (context?: KoaContext): void => {
      if (context === undefined) return;
      this['_unwrap'](context, 'onerror');
      Reflect.deleteProperty(context, ROUTE);
    };
    const files = [new InstrumentationNodeModuleFile('koa/lib/context.js', VERSIONS, patch, unpatch)];
    return new InstrumentationNodeModuleDefinition('koa', VERSIONS, undefined, undefined, files);
  }
}

/** All routers for Koa publish their route to other middleware here. */
const ROUTE = '_matchedRoute';

interface KoaContext {
  readonly req: IncomingMessage;
  onerror: OnError;
}

type OnError = (this: KoaContext, error: unknown) => unknown;

/** Koa calls it without an error too, when a response has ended. */
function withFailure(original: OnError): OnError {
  return function onErrorOfRequest(error) {
    if (error !== undefined && error !== null) recordFailure(error, this.req);
    return original.call(this, error);
  };
}

/** The context of a request gets the property that it would have without the setter. */
function setMatchedRoute(this: KoaContext, route: unknown): void {
  Object.defineProperty(this, ROUTE, { value: route, configurable: true, enumerable: true, writable: true });
  const pattern = route instanceof RegExp ? String(route) : route;
  if (typeof pattern === 'string') setRoute(pattern, this.req);
}

/** Observes the requests of clients of `node:http2`, which costs nothing until the service loads it. */
import { createRequire, registerHooks, syncBuiltinESMExports } from 'node:module';
import { promisify } from 'node:util';
import { context, trace } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  type InstrumentationModuleDefinition,
} from '@opentelemetry/instrumentation';
import type { RequestTargets } from '../request-targets.ts';
import { attachment } from './attachment.ts';
import { Http2Call } from './http2-call.ts';
import { isOfUndici, readRequest, targetOf, type Http2Session, type Http2Stream, type Target } from './http2-target.ts';

/** Its `require` is the one that instrumentations intercept. */
const require = createRequire(import.meta.url);

type Connect = (...args: unknown[]) => Http2Session;
type ConnectLater = (...args: unknown[]) => Promise<Http2Session>;
type Request = Http2Session['request'];

interface ObservedSession {
  readonly target: Target;
  /** True if the application has destroyed it. */
  isAbandoned: boolean;
}

/**
 * The classes of sessions and streams are not exported, so they are patched when the service has the first of each. An ES
 * module does not load `node:http2` with `require`, so imports are watched until one asks for it.
 */
export class Http2Instrumentation extends InstrumentationBase {
  declare private stopWatching?: (() => void) | undefined;
  readonly #targets: RequestTargets;
  readonly #watchesImports: boolean;

  constructor(targets: RequestTargets, { watchesImports }: { readonly watchesImports: boolean }) {
    super('siphon-otel/http2', '0.1.0', { enabled: false });
    this.#targets = targets;
    this.#watchesImports = watchesImports;
  }

  protected override init(): InstrumentationModuleDefinition {
    return new InstrumentationNodeModuleDefinition(
      'http2',
      ['*'],
      (exports: { connect: Connect }) => {
        this['_wrap'](exports, 'connect', (connect) => observedConnect(connect, this.#targets));
        return exports;
      },
      (exports?: { connect: Connect }) => exports && this['_unwrap'](exports, 'connect'),
    );
  }

  override enable(): void {
    super.enable();
    if (this.#watchesImports) this.stopWatching ??= watchImports();
  }

  override disable(): void {
    super.disable();
    this.stopWatching?.();
    this.stopWatching = undefined;
  }
}

const HTTP2 = 'node:http2';

/** Loads the module with `require` before an ES module gets its exports. */
function watchImports(): () => void {
  let isLoaded = false;
  const hooks = registerHooks({
    resolve(specifier, resolving, nextResolve) {
      if (!isLoaded && (specifier === HTTP2 || specifier === 'http2')) {
        // `require` resolves the name, too.
        isLoaded = true;
        queueMicrotask(() => hooks.deregister());
        require(HTTP2);
        syncBuiltinESMExports();
      }
      return nextResolve(specifier, resolving);
    },
  });
  return () => hooks.deregister();
}

const sessions = attachment<ObservedSession>();
const calls = attachment<Http2Call>();
const patched = new WeakSet<object>();

function observedConnect(connect: Connect, requestTargets: RequestTargets): Connect {
  const begun = (session: Http2Session, [authority, options]: readonly unknown[]): Http2Session => {
    sessions.add(session, { target: targetOf(authority, options), isAbandoned: false });
    patchSession(Object.getPrototypeOf(session) as Http2Session, requestTargets);
    return session;
  };
  const observed: Connect = alike(connect, (...args) => begun(connect(...args), args));
  const { [promisify.custom]: promised } = connect as Connect & { readonly [promisify.custom]?: ConnectLater };
  if (promised === undefined) return observed;
  const connectLater: ConnectLater = alike(promised, async (...args) => begun(await promised(...args), args));
  return Object.defineProperty(observed, promisify.custom, { value: connectLater });
}

function patchSession(prototype: Http2Session, requestTargets: RequestTargets): void {
  if (patched.has(prototype)) return;
  patched.add(prototype);
  const { destroy, request } = prototype;
  replaceMethod(prototype, 'request', observedRequest(request, requestTargets));
  replaceMethod(prototype, 'destroy', function destroyObserved(this: Http2Session, ...args: unknown[]) {
    const session = sessions.of(this);
    if (session !== undefined && isConnected(this)) session.isAbandoned = true;
    return destroy.apply(this, args);
  });
}

/** Node closes streams and sessions with the methods that the application uses, but only when the connection is gone. */
function isConnected(session: Http2Session): boolean {
  return !session.destroyed && !session.socket.destroyed;
}

function observedRequest(request: Request, requestTargets: RequestTargets): Request {
  return function requestObserved(...args) {
    const target = sessions.of(this)?.target;
    const caller = context.active();
    const [headers, ...rest] = args;
    const asked = readRequest(headers);
    // grpc-js has spans of its own.
    const isForOthers = asked?.contentType.startsWith('application/grpc') === true || isOfUndici(this);
    if (target === undefined || asked === undefined || isForOthers || isTracingSuppressed(caller)) {
      return request.apply(this, args);
    }
    const call = new Http2Call(asked, target, caller);
    requestTargets.set(call.span, target.host);
    const within = trace.setSpan(caller, call.span);
    try {
      const stream = context.with(within, () => request.call(this, asked.headersWithin(within), ...rest));
      calls.add(stream, call);
      patchStream(Object.getPrototypeOf(stream) as Http2Stream);
      return stream;
    } catch (error) {
      call.fail(error);
      call.end();
      throw error;
    }
  };
}

function patchStream(prototype: Http2Stream): void {
  if (patched.has(prototype)) return;
  patched.add(prototype);
  const { emit, push, close, destroy } = prototype;
  // A listener would change what the stream does: one of `error` handles it.
  replaceMethod(
    prototype,
    'emit',
    function emitObserved(this: Http2Stream, event: string | symbol, ...args: unknown[]) {
      const call = calls.of(this);
      if (call === undefined) return emit.call(this, event, ...args);
      call.onEvent(this, event, args[0]);
      return context.with(call.caller, () => emit.call(this, event, ...args));
    },
  );
  replaceMethod(prototype, 'push', function pushObserved(this: Http2Stream, ...args: unknown[]) {
    if (args[0] === null) calls.of(this)?.onLastChunk(this);
    return push.apply(this, args);
  });
  replaceMethod(prototype, 'close', function closeObserved(this: Http2Stream, ...args: unknown[]) {
    noteEnding(this);
    return close.apply(this, args);
  });
  replaceMethod(prototype, 'destroy', function destroyObserved(this: Http2Stream, ...args: unknown[]) {
    noteEnding(this);
    return destroy.apply(this, args);
  });
}

function noteEnding(stream: Http2Stream): void {
  const { session } = stream;
  if (session === undefined) return;
  if (isConnected(session) || sessions.of(session)?.isAbandoned === true) calls.of(stream)?.onAbandon(stream);
}

type AnyFunction = (...args: never[]) => unknown;

function replaceMethod<T extends object>(prototype: T, name: keyof T & string, observed: AnyFunction): void {
  const value = alike(prototype[name] as AnyFunction, observed);
  Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
}

/** Returns the function with the name and the number of parameters of the one that it replaces. */
function alike<T extends AnyFunction>({ name, length }: AnyFunction, observed: T): T {
  const shape = { name: { value: name, configurable: true }, length: { value: length, configurable: true } };
  return Object.defineProperties(observed, shape);
}

/** Observes clients and servers of grpc-js: a call is one trace on both sides. */
import { context, propagation, SpanKind, SpanStatusCode, trace, type Context, type Span } from '@opentelemetry/api';
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile,
  type InstrumentationModuleDefinition,
} from '@opentelemetry/instrumentation';
import { recordException } from '../exceptions.ts';
import { INSTRUMENTATION_SCOPE } from '../recorders.ts';
import type { RequestTargets } from '../request-targets.ts';

const NAME = '@grpc/grpc-js';
const VERSIONS = ['>=1.8.0 <2'];

/** Patches files inside the package, which it loads itself with `require`. */
export class GrpcInstrumentation extends InstrumentationBase {
  readonly #targets: RequestTargets;

  constructor(targets: RequestTargets) {
    super('siphon-otel/grpc', '0.1.0', { enabled: false });
    this.#targets = targets;
  }

  protected override init(): InstrumentationModuleDefinition {
    return new InstrumentationNodeModuleDefinition(NAME, VERSIONS, undefined, undefined, [
      new InstrumentationNodeModuleFile(
        `${NAME}/build/src/client-interceptors.js`,
        VERSIONS,
        (exports: Interceptors) => {
          this['_wrap'](exports, 'getInterceptingCall', (original) => observedCalls(original, this.#targets));
          return exports;
        },
        (exports?: Interceptors) => exports && this['_unwrap'](exports, 'getInterceptingCall'),
      ),
      new InstrumentationNodeModuleFile(
        `${NAME}/build/src/server.js`,
        VERSIONS,
        (exports: ServerFile) => {
          this['_wrap'](exports.Server.prototype, 'register', observedRegister);
          return exports;
        },
        (exports?: ServerFile) => exports && this['_unwrap'](exports.Server.prototype, 'register'),
      ),
    ]);
  }
}

interface Interceptors {
  getInterceptingCall: GetCall;
}

interface Method {
  /** `/package.Service/Method` */
  readonly path: string;
}

interface Metadata {
  get(key: string): unknown[];
  set(key: string, value: string): void;
  clone(): Metadata;
}

interface Status {
  readonly code: number;
  readonly details?: string;
}

interface Listener {
  onReceiveStatus?: (status: Status, ...rest: unknown[]) => unknown;
}

interface Call {
  start: (metadata: Metadata, listener: Listener, ...rest: unknown[]) => unknown;
}

interface Channel {
  getTarget(): string;
}

type GetCall = (interceptors: unknown, method: Method, options: unknown, channel: Channel) => Call;

/** The calls of all four kinds begin here. */
function observedCalls(getCall: GetCall, targets: RequestTargets): GetCall {
  return (...args) => {
    const [, method, , channel] = args;
    const call = getCall(...args);
    const { start } = call;
    call.start = function startObserved(metadata, listener, ...rest) {
      const span = startSpan(method.path, SpanKind.CLIENT);
      targets.set(span, hostOf(channel.getTarget()));
      const headers = metadata.clone();
      const within = trace.setSpan(context.active(), span);
      propagation.inject(within, headers, { set: (carrier, key, value) => carrier.set(key, value) });
      const { onReceiveStatus } = listener;
      if (onReceiveStatus !== undefined) {
        listener.onReceiveStatus = function onObservedStatus(status, ...more) {
          endSpan(span, status);
          return onReceiveStatus.call(this, status, ...more);
        };
      }
      return start.call(this, headers, listener, ...rest);
    };
    return call;
  };
}

interface ServerFile {
  readonly Server: { readonly prototype: { register: Register } };
}

type Handler = (this: unknown, call: ServerCall, ...rest: unknown[]) => unknown;
type Register = (this: unknown, path: string, handler: Handler, ...rest: unknown[]) => unknown;

interface ServerCall {
  readonly metadata: Metadata;
  readonly cancelled?: boolean;
  once?: (event: string, listener: (...args: never[]) => void) => unknown;
}

function observedRegister(register: Register): Register {
  return function registerObserved(path, handler, ...rest) {
    const observed: Handler = function handleObserved(call, ...args) {
      const parent = propagation.extract(context.active(), call.metadata, {
        keys: () => [],
        get: (carrier, key) => carrier.get(key).filter((value): value is string => typeof value === 'string'),
      });
      const span = startSpan(path, SpanKind.SERVER, parent);
      const [callback] = args;
      const isStream = typeof callback !== 'function';
      if (isStream) endWithStream(span, call);
      else args[0] = endWithCallback(span, callback as Callback);
      return context.with(trace.setSpan(parent, span), () => {
        try {
          return handler.call(this, call, ...args);
        } catch (error) {
          recordException(span, error);
          endSpan(span, { code: UNKNOWN });
          throw error;
        }
      });
    };
    return register.call(this, path, typeof handler === 'function' ? observed : handler, ...rest);
  };
}

const UNKNOWN = 2;

type Callback = (this: unknown, error: Partial<Status> | null | undefined, ...rest: unknown[]) => unknown;

function endWithCallback(span: Span, callback: Callback): Callback {
  return function answered(error, ...rest) {
    if (error instanceof Error) recordException(span, error);
    endSpan(span, { code: error === null || error === undefined ? 0 : (error.code ?? UNKNOWN) });
    return callback.call(this, error, ...rest);
  };
}

/** The events of a stream that the server writes; a client that goes away cancels it. */
function endWithStream(span: Span, call: ServerCall): void {
  call.once?.('finish', () => endSpan(span, { code: 0 }));
  call.once?.('cancelled', () => endSpan(span, { code: 1 }));
  // The server listens to this event too, and answers with the status.
  call.once?.('error', (error: Partial<Status>) => endSpan(span, { code: error.code ?? UNKNOWN }));
}

const ended = new WeakSet<Span>();

/** A server has not failed where the client is at fault: the list of the semantic conventions. */
const FAILURES_OF_SERVERS = new Set([2, 4, 12, 13, 14, 15]);

function endSpan(span: Span, { code }: Status): void {
  if (ended.has(span)) return;
  ended.add(span);
  const { kind } = span as { readonly kind?: SpanKind };
  span.setAttribute('rpc.grpc.status_code', code);
  if (kind === SpanKind.SERVER ? FAILURES_OF_SERVERS.has(code) : code !== 0) {
    span.setAttribute('error.type', String(code)).setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

function startSpan(path: string, kind: SpanKind, parent?: Context): Span {
  const [, service = '', method = ''] = path.split('/');
  return trace
    .getTracer(INSTRUMENTATION_SCOPE)
    .startSpan(
      `${service}/${method}`,
      { kind, attributes: { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method } },
      parent,
    );
}

/** A target is `dns:///host:port`, `host:port` or `unix:path`. */
function hostOf(target: string): string {
  const address = target.replace(/^[a-z][a-z0-9+.-]*:\/*/i, (scheme) =>
    /^(?:dns|ipv4|ipv6):/i.test(scheme) ? '' : scheme,
  );
  return address.replace(/:\d+$/, '');
}

/** Carries the active span into processes and threads that the service starts. */
import childProcess, { type ForkOptions } from 'node:child_process';
import workerThreads, { type WorkerOptions } from 'node:worker_threads';
import { context, isSpanContextValid, propagation, ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api';

/** The headers of the span as JSON. The preload of the child removes the variable before the service can see it. */
const VARIABLE = 'SIPHON_PARENT_CONTEXT';

type Environment = Record<string, string | undefined>;

/** Continues the trace of the parent: it is what is active while nothing else is. Servers do not use it for their requests. */
export function continueParent(environment: Environment): void {
  const headers = headersIn(environment[VARIABLE]);
  delete environment[VARIABLE];
  if (headers === undefined) return;
  const parent = propagation.extract(ROOT_CONTEXT, headers);
  if (trace.getSpanContext(parent) === undefined) return;
  const manager = context['_getContextManager']();
  const active = manager.active.bind(manager);
  manager.active = (): Context => {
    const current = active();
    return current === ROOT_CONTEXT ? parent : current;
  };
}

/**
 * Passes the active span to the children of `fork`. The workers of a cluster, which are servers, do not get it, and neither do
 * children that the service starts outside of spans.
 */
export function passToChildren(): void {
  const { fork } = childProcess;
  const observedFork = (...args: unknown[]): unknown => {
    const headers = activeHeaders();
    if (headers === undefined) return (fork as (...all: unknown[]) => unknown)(...args);
    const [file, ...rest] = args;
    const list = Array.isArray(rest[0]) ? rest[0] : [];
    const options = (rest.find((one) => isObject(one) && !Array.isArray(one)) ?? {}) as ForkOptions;
    const env = options.env ?? process.env;
    if ('NODE_UNIQUE_ID' in env) return (fork as (...all: unknown[]) => unknown)(...args);
    return fork(file as string, list as string[], { ...options, env: { ...env, [VARIABLE]: headers } });
  };
  childProcess.fork = observedFork as typeof fork;
}

/** The same for worker threads, which get the environment of their process unless the service gives them another. */
export function passToWorkers(): void {
  workerThreads.Worker = new Proxy(workerThreads.Worker, {
    construct(target, [file, options, ...rest]: [string, WorkerOptions | undefined, ...unknown[]], newTarget) {
      const headers = activeHeaders();
      const env = options?.env ?? process.env;
      const isShared = env === workerThreads.SHARE_ENV;
      const observed =
        headers === undefined || isShared
          ? options
          : { ...options, env: { ...(env as Environment), [VARIABLE]: headers } };
      return Reflect.construct(target, [file, observed, ...rest], newTarget) as object;
    },
  });
}

function activeHeaders(): string | undefined {
  const active = context.active();
  const spanContext = trace.getSpanContext(active);
  if (spanContext === undefined || !isSpanContextValid(spanContext)) return undefined;
  const headers: Record<string, string> = {};
  propagation.inject(active, headers);
  return JSON.stringify(headers);
}

function headersIn(text: string | undefined): Record<string, string> | undefined {
  try {
    const headers: unknown = JSON.parse(text ?? 'null');
    return isObject(headers) ? (headers as Record<string, string>) : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

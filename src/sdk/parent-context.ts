/** Carries the active span into processes and threads that the service starts. */
import childProcess from 'node:child_process';
import { promisify } from 'node:util';
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

/** The functions that start another Node.js. The others of `node:child_process` call these inside Node. */
const STARTERS = ['fork', 'spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync'] as const;

/**
 * Passes the active span to children that run Node.js. The workers of a cluster, which are servers, do not get it, and
 * neither do other programs and children that the service starts outside of spans.
 */
export function passToChildren(): void {
  for (const name of STARTERS) {
    const original = childProcess[name] as Starter;
    const observed: Starter = (...args) => original(...withContext(name, args));
    Object.defineProperty(observed, 'name', { value: name });
    const promised = original[promisify.custom];
    if (promised !== undefined) {
      const value: Starter = (...args) => promised(...withContext(name, args));
      Object.defineProperty(observed, promisify.custom, { value });
    }
    Object.assign(childProcess, { [name]: observed });
  }
}

type Starter = ((...args: unknown[]) => unknown) & { readonly [promisify.custom]?: (...args: unknown[]) => unknown };

/** The arguments are a file or command, perhaps a list, perhaps options, and perhaps a callback. */
function withContext(name: (typeof STARTERS)[number], args: readonly unknown[]): readonly unknown[] {
  const at = args.findIndex((argument, index) => index > 0 && isObject(argument) && !Array.isArray(argument));
  const options = (args[at] ?? {}) as { readonly env?: Environment };
  const env = options.env ?? process.env;
  if ('NODE_UNIQUE_ID' in env || !(name === 'fork' || isNode(args[0]))) return args;
  const headers = activeHeaders();
  if (headers === undefined) return args;
  const observed = { ...options, env: { ...env, [VARIABLE]: headers } };
  if (at > 0) return args.with(at, observed);
  const place = Array.isArray(args[1]) ? 2 : 1;
  return args.toSpliced(place, typeof args[place] === 'function' ? 0 : 1, observed);
}

/** True for an executable, or a command whose first word is one: `node`, with or without its folder. */
function isNode(command: unknown): boolean {
  if (typeof command !== 'string') return false;
  return command === process.execPath || /^\s*(["']?)(?:[^\s"']*[\\/])?node(?:\.exe)?\1(?:\s|$)/.test(command);
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

/** Observes BullMQ through its own interface for telemetry. The context of the caller travels with the job. */
import { context, propagation, ROOT_CONTEXT, SpanKind, trace, type Context, type Exception } from '@opentelemetry/api';
import { LoadedModulesInstrumentation, type Patches } from '../frameworks/loaded-modules.ts';
import { INSTRUMENTATION_SCOPE } from '../recorders.ts';
import { failMessage } from './message-span.ts';

export class BullmqInstrumentation extends LoadedModulesInstrumentation {
  constructor() {
    super('bullmq', 'connecting');
  }

  /** Queues and workers extend one class. */
  protected override patches(): Patches {
    return {
      ...patchesOf('queue-base.js', 'QueueBase', observeTraces),
      ...patchesOf('worker.js', 'Worker', observeJobs),
    };
  }
}

interface BullmqClass {
  readonly prototype: { trace?: Method<{ opts: { telemetry?: unknown } }>; callProcessJob?: Method<unknown> };
}

type Method<This> = (this: This, ...args: unknown[]) => unknown;

const patched = new WeakSet<object>();

/** BullMQ has a build of ES modules and one of CommonJS. */
function patchesOf(file: string, name: string, patch: (found: BullmqClass) => void): Patches {
  const patchOnce = (exports: Readonly<Record<string, unknown>>): void => {
    const found = exports[name] ?? (exports['default'] as Readonly<Record<string, unknown>> | undefined)?.[name];
    if (typeof found !== 'function' || patched.has(found)) return;
    patched.add(found);
    patch(found);
  };
  return Object.fromEntries(
    ['esm', 'cjs'].map((build) => [`/node_modules/bullmq/dist/${build}/classes/${file}`, patchOnce]),
  );
}

/** Telemetry that the service has set stays. */
function observeTraces({ prototype }: BullmqClass): void {
  const original = prototype.trace;
  if (original === undefined) return;
  prototype.trace = function observedTrace(...args) {
    this.opts.telemetry ??= telemetry;
    return original.apply(this, args);
  };
}

/** BullMQ catches what a job throws, and reports only its message. */
function observeJobs({ prototype }: BullmqClass): void {
  const original = prototype.callProcessJob;
  if (original === undefined) return;
  prototype.callProcessJob = function observedJob(...args) {
    const span = trace.getActiveSpan();
    const result = original.apply(this, args);
    if (span === undefined || !(result instanceof Promise)) return result;
    return result.catch((error: unknown) => {
      failMessage(span, error);
      throw error;
    });
  };
}

/** The kinds have the numbers of OpenTelemetry. */
const KINDS: ReadonlyMap<number, SpanKind> = new Map([
  [3, SpanKind.PRODUCER],
  [4, SpanKind.CONSUMER],
]);

interface QueueSpan {
  setSpanOnContext(on: Context): Context;
  setAttribute(): void;
  setAttributes(attributes: Readonly<Record<string, unknown>>): void;
  addEvent(): void;
  recordException(exception: Exception): void;
  end(): void;
}

const telemetry = {
  tracer: {
    startSpan(name: string, { kind }: { readonly kind: number }, parent?: Context): QueueSpan {
      const known = KINDS.get(kind);
      return known === undefined ? noSpan : queueSpan(name, known, parent);
    },
  },
  contextManager: {
    with: (on: Context, body: () => unknown): unknown => context.with(on, body),
    active: (): Context => context.active(),
    root: (): Context => ROOT_CONTEXT,
    getMetadata: (of: Context): string => {
      const headers: Record<string, string> = {};
      propagation.inject(of, headers);
      return JSON.stringify(headers);
    },
    fromMetadata: (on: Context, metadata: string): Context => propagation.extract(on, headersIn(metadata)),
  },
};

/** The work of a worker between two jobs has no caller, and would be a trace every few seconds. */
const noSpan: QueueSpan = {
  setSpanOnContext: (on) => on,
  setAttribute: ignore,
  setAttributes: ignore,
  addEvent: ignore,
  recordException: ignore,
  end: ignore,
};

function queueSpan(name: string, kind: SpanKind, parent?: Context): QueueSpan {
  const span = trace.getTracer(INSTRUMENTATION_SCOPE).startSpan(
    name,
    {
      kind,
      attributes: {
        'messaging.system': 'bullmq',
        'messaging.operation.type': kind === SpanKind.PRODUCER ? 'send' : 'process',
      },
    },
    parent,
  );
  return {
    setSpanOnContext: (on) => trace.setSpan(on, span),
    setAttribute: ignore,
    setAttributes: (attributes) => {
      const queue = attributes['bullmq.queue.name'];
      if (typeof queue === 'string') span.setAttribute('messaging.destination.name', queue);
    },
    // Events repeat the result of the job.
    addEvent: ignore,
    recordException: (exception) => failMessage(span, exception),
    end: () => span.end(),
  };
}

/** The metadata are in Redis, where others can write too. */
function headersIn(metadata: string): Record<string, string> {
  try {
    const headers: unknown = JSON.parse(metadata);
    return typeof headers === 'object' && headers !== null ? (headers as Record<string, string>) : {};
  } catch {
    return {};
  }
}

function ignore(): void {
  return;
}

/**
 * Observes the operations that graphql executes: type, name, and what resolvers throw. What an operation asks for, its
 * literals and its variables are not read, so that the cost does not depend on them.
 */
import { tracingChannel } from 'node:diagnostics_channel';
import { context, diag, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile,
  type InstrumentationModuleDefinition,
} from '@opentelemetry/instrumentation';
import { errorType } from '../error-type.ts';
import { recordException } from '../exceptions.ts';
import { isAnswer } from '../http/server-requests.ts';
import { INSTRUMENTATION_SCOPE } from '../recorders.ts';

/** Later versions publish their operations. */
const PATCHED = ['>=16.0.0 <17'];
const CHANNELS = ['graphql:execute', 'graphql:subscribe'].map((name) => tracingChannel(name));

/** The file is loaded by the package itself, with `require`. Servers with an executor of their own are not seen. */
export class GraphqlInstrumentation extends InstrumentationBase {
  constructor() {
    // The SDK enables it.
    super('siphon-otel/graphql', '0.1.0', { enabled: false });
  }

  protected override init(): InstrumentationModuleDefinition {
    const patch = (exports: ExecuteFile): ExecuteFile => {
      for (const name of EXECUTIONS) this['_wrap'](exports, name, observedExecute);
      return exports;
    };
    const unpatch = (exports?: ExecuteFile): void => {
      if (exports !== undefined) for (const name of EXECUTIONS) this['_unwrap'](exports, name);
    };
    const file = new InstrumentationNodeModuleFile('graphql/execution/execute.js', PATCHED, patch, unpatch);
    return new InstrumentationNodeModuleDefinition('graphql', PATCHED, undefined, undefined, [file]);
  }

  override enable(): void {
    super.enable();
    // A second subscription would be a second span.
    for (const channel of CHANNELS) channel.unsubscribe(subscribers);
    for (const channel of CHANNELS) channel.subscribe(subscribers);
  }

  override disable(): void {
    super.disable();
    for (const channel of CHANNELS) channel.unsubscribe(subscribers);
  }
}

const EXECUTIONS = ['execute', 'executeSync'] as const;

type ExecuteFile = Record<(typeof EXECUTIONS)[number], Execute>;

type Execute = (this: unknown, args: ExecuteArguments) => unknown;

interface ExecuteArguments {
  readonly document?: { readonly definitions?: readonly Definition[] };
  readonly operationName?: string | null;
}

interface Definition {
  readonly kind: string;
  /** `query`, `mutation` or `subscription`. */
  readonly operation?: string;
  readonly name?: { readonly value: string };
}

/** Without a type, the operation does not exist, or cannot be chosen. */
interface Operation {
  readonly operationType?: string | undefined;
  readonly operationName?: string | undefined;
}

function observedExecute(execute: Execute): Execute {
  return function executeObserved(args) {
    const span = startSpan(operationOf(args));
    if (span === undefined) return execute.call(this, args);
    return context.with(trace.setSpan(context.active(), span), () => endAfter(span, () => execute.call(this, args)));
  };
}

function endAfter(span: Span, body: () => unknown): unknown {
  try {
    const result = body();
    if (result instanceof Promise) return endWhenSettled(span, result);
    end(span, { result });
    return result;
  } catch (error) {
    end(span, { error });
    throw error;
  }
}

async function endWhenSettled(span: Span, promise: Promise<unknown>): Promise<unknown> {
  try {
    const result = await promise;
    end(span, { result });
    return result;
  } catch (error) {
    end(span, { error });
    throw error;
  }
}

/** The rules of GraphQL: without a name, the document must have one operation only. */
function operationOf({ document, operationName }: ExecuteArguments): Operation {
  const operations = document?.definitions?.filter(({ kind }) => kind === 'OperationDefinition') ?? [];
  const named = operations.filter(({ name }) => name?.value === operationName);
  const [found, ...others] = typeof operationName === 'string' ? named : operations;
  if (found === undefined || others.length > 0) return {};
  return { operationType: found.operation, operationName: found.name?.value };
}

interface Published extends Operation {
  readonly result?: unknown;
  readonly error?: unknown;
}

const running = new WeakMap<object, { readonly span: Span; readonly leave: () => void }>();

/** Node ends the process when a subscriber throws. */
const subscribers = {
  start: guarded((message: Published) => {
    const span = startSpan(message);
    if (span === undefined) return;
    const token = context.attach(trace.setSpan(context.active(), span));
    running.set(message, { span, leave: () => token.dispose() });
  }),
  /** Comes in the same turn as the start. */
  end: guarded((message: Published) => {
    const call = running.get(message);
    call?.leave();
    if (call !== undefined && ('result' in message || 'error' in message)) end(call.span, message);
  }),
  asyncStart: guarded((message: Published) => {
    const call = running.get(message);
    if (call !== undefined) end(call.span, message);
  }),
  asyncEnd: () => undefined,
  error: () => undefined,
};

function guarded(observe: (message: Published) => void): (message: object) => void {
  return (message) => {
    try {
      observe(message);
    } catch (error) {
      diag.warn('siphon: an operation of GraphQL is not observed', error);
    }
  };
}

/** Clients choose the names, and a name on many spans groups them. */
const MAX_NAMES = 200;
const MAX_NAME_CHARACTERS = 200;
const names = new Set<string>();

/** Names beyond the bound are an attribute only. A name without a type is what a client asked for in vain. */
function startSpan({ operationType: type, operationName }: Operation): Span | undefined {
  if (isTracingSuppressed(context.active())) return undefined;
  const tracer = trace.getTracer(INSTRUMENTATION_SCOPE);
  if (type === undefined) return tracer.startSpan('GraphQL operation');
  const name = operationName?.slice(0, MAX_NAME_CHARACTERS);
  return tracer.startSpan(name !== undefined && isKept(name) ? `${type} ${name}` : type, {
    attributes: {
      'graphql.operation.type': type,
      ...(name !== undefined && { 'graphql.operation.name': name }),
    },
  });
}

function isKept(name: string): boolean {
  if (names.size < MAX_NAMES) names.add(name);
  return names.has(name);
}

/** A client can ask for one failing field a thousand times. */
const MAX_EXCEPTIONS = 10;

interface FieldError {
  readonly name?: unknown;
  readonly path?: unknown;
  readonly originalError?: unknown;
}

/**
 * The caller gets what graphql throws itself. Errors without a path are about the request, and their texts quote
 * variables.
 */
function end(span: Span, { result, error }: Published): void {
  const errors = (result as { readonly errors?: readonly FieldError[] } | null | undefined)?.errors ?? [];
  const exceptions = [...new Set(errors.flatMap(exceptionOf))];
  for (const exception of exceptions.slice(0, MAX_EXCEPTIONS)) recordException(span, exception);
  if (exceptions.length > MAX_EXCEPTIONS) {
    span.setAttribute('siphon.lost_exceptions', exceptions.length - MAX_EXCEPTIONS);
  }
  const failure = error ?? exceptions[0];
  if (failure !== undefined) {
    span.setAttribute('error.type', errorType(failure)).setStatus({ code: SpanStatusCode.ERROR });
  } else if (errors.length > 0) {
    span.setAttribute('error.type', 'GraphQLError');
  }
  span.end();
}

/** The error of a resolver. A GraphQLError, or one with a status below 500, is an answer to the client. */
function exceptionOf({ path, originalError }: FieldError): readonly unknown[] {
  if (path === undefined || originalError === undefined || originalError === null) return [];
  if ((originalError as FieldError).name === 'GraphQLError' || isAnswer(originalError)) return [];
  return [originalError];
}

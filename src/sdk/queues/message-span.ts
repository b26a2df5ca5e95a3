/** Spans of messages: how the queues name them, and how they end. */
import { SpanKind, SpanStatusCode, trace, type Attributes, type Link, type Span } from '@opentelemetry/api';
import { errorType } from '../error-type.ts';
import { recordException } from '../exceptions.ts';
import { INSTRUMENTATION_SCOPE } from '../recorders.ts';

export interface MessageSpan {
  readonly kind: SpanKind.PRODUCER | SpanKind.CONSUMER;
  /** As in `messaging.system`. */
  readonly system: string;
  /** A queue or a topic, which is in the name of the span. */
  readonly target: string;
  readonly attributes: Attributes;
  /** The senders of messages that are processed together. */
  readonly links?: Link[];
}

/** Starts `send <target>` or `process <target>` within the active span. */
export function startMessageSpan({ kind, system, target, attributes, links = [] }: MessageSpan): Span {
  const operation = kind === SpanKind.PRODUCER ? 'send' : 'process';
  return trace.getTracer(INSTRUMENTATION_SCOPE).startSpan(`${operation} ${target}`, {
    kind,
    links,
    attributes: { 'messaging.system': system, 'messaging.operation.type': operation, ...attributes },
  });
}

/** Ends the span when the function has returned, or when its promise has settled. */
export function endAfter(span: Span, body: () => unknown): unknown {
  try {
    const result = body();
    if (!(result instanceof Promise)) {
      span.end();
      return result;
    }
    // A library that ignores the promise lets its rejection end the process, as it does without an observer.
    return result
      .catch((error: unknown) => {
        failMessage(span, error);
        throw error;
      })
      .finally(() => span.end());
  } catch (error) {
    failMessage(span, error);
    span.end();
    throw error;
  }
}

/** Records what the processing of a message threw, which no caller gets. */
export function failMessage(span: Span, error: unknown): void {
  recordException(span, error);
  span.setAttribute('error.type', errorType(error)).setStatus({ code: SpanStatusCode.ERROR });
}

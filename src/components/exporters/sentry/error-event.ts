import { textOf } from '../../../engine/otlp/any-value.ts';
import type { Span, SpanEvent } from '../../../engine/otlp/span-reader.ts';
import { originOf, type OriginOverrides } from './event-origin.ts';
import { toJsonObject, toSeconds, type JsonObject } from './json-values.ts';
import { semanticsOf } from './span-semantics.ts';
import { parseStackFrames } from './stack-frames.ts';
import { newEventId } from './transaction.ts';

/** https://develop.sentry.dev/sdk/data-model/event-payloads/exception/ */
export interface ErrorEvent {
  readonly event_id: string;
  readonly [key: string]: unknown;
}

/** The error event for an `exception` that was recorded on a span, tied to the span. */
export function toErrorEvent(
  { span, event }: { readonly span: Span; readonly event: SpanEvent },
  overrides: OriginOverrides,
): ErrorEvent {
  const { op, description } = semanticsOf(span);
  return {
    event_id: newEventId(),
    timestamp: toSeconds(event.timeUnixNano),
    level: 'error',
    ...originOf(span.resource, overrides),
    exception: { values: [toException(event)] },
    contexts: {
      trace: {
        trace_id: span.traceId,
        span_id: span.spanId,
        ...(span.parentSpanId === undefined ? {} : { parent_span_id: span.parentSpanId }),
        op,
      },
      otel: { resource: toJsonObject(span.resource), span_name: span.name },
    },
    ...(description === '' ? {} : { transaction: description }),
    extra: toJsonObject(event.attributes),
  };
}

function toException({ attributes }: SpanEvent): JsonObject {
  const frames = parseStackFrames(textOf(attributes, 'exception.stacktrace') ?? '');
  const handled = attributes.get('exception.escaped') !== true;
  return {
    type: textOf(attributes, 'exception.type') ?? 'Error',
    value: textOf(attributes, 'exception.message') ?? '',
    mechanism: { type: 'otel.span_event', handled },
    ...(frames.length === 0 ? {} : { stacktrace: { frames } }),
  };
}

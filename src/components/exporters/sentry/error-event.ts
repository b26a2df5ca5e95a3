import { textOf } from '../../../engine/otlp/any-value.ts';
import type { SpanEvent } from '../../../engine/otlp/span-reader.ts';
import type { RecordedException } from './exceptions.ts';
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
  { span, event, root }: Pick<RecordedException, 'span' | 'event' | 'root'>,
  overrides: OriginOverrides,
): ErrorEvent {
  const { op } = semanticsOf(span);
  // The culprit in Sentry is what the service was doing, not the query or request that failed.
  const transaction = root === undefined ? '' : semanticsOf(root).description;
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
    ...(transaction === '' ? {} : { transaction }),
    extra: toJsonObject(event.attributes),
  };
}

function toException({ attributes }: SpanEvent): JsonObject {
  const frames = parseStackFrames(textOf(attributes, 'exception.stacktrace') ?? '');
  const escaped = attributes.get('exception.escaped');
  return {
    type: textOf(attributes, 'exception.type') ?? 'Error',
    value: textOf(attributes, 'exception.message') ?? '',
    // Few senders record whether the exception was handled; Sentry shows nothing if it is absent.
    mechanism: { type: 'otel.span_event', ...(typeof escaped === 'boolean' && { handled: !escaped }) },
    ...(frames.length === 0 ? {} : { stacktrace: { frames } }),
  };
}

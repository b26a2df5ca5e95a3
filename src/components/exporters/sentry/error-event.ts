import { randomBytes } from 'node:crypto';
import { textOf } from '../../../engine/otlp/any-value.ts';
import { cleanName, cleanText } from '../../../privacy/privacy.ts';
import type { Span, SpanEvent } from '../../../engine/otlp/span-reader.ts';
import { breadcrumbsOf } from './breadcrumbs.ts';
import { contextsOf, requestOf } from './event-contexts.ts';
import type { RecordedException } from './exceptions.ts';
import { cleanedAttributes, originOf, type EventSettings } from './event-origin.ts';
import { toSeconds, type JsonObject } from '../../../engine/otlp/json-values.ts';
import { semanticsOf } from './span-semantics.ts';
import { parseStackTrace, type StackFrame } from './stack-trace.ts';
import { newEventId } from './transaction.ts';

/** https://develop.sentry.dev/sdk/data-model/event-payloads/exception/ */
export interface ErrorEvent {
  readonly event_id: string;
  readonly [key: string]: unknown;
}

/** The error event for an exception, tied to its span. */
export function toErrorEvent(exception: RecordedException, settings: EventSettings): ErrorEvent {
  const { span, event, root, record } = exception;
  const { op } = semanticsOf(span);
  // The culprit in Sentry is what the service was doing, not the query or request that failed.
  const transaction = root === undefined ? '' : semanticsOf(root).name;
  const breadcrumbs = breadcrumbsOf(exception.spans, event.timeUnixNano, settings);
  const uncaught = uncaughtMechanism(span);
  return {
    event_id: newEventId(),
    timestamp: toSeconds(event.timeUnixNano),
    level: uncaught === undefined ? (record?.level ?? 'error') : 'fatal',
    ...originOf(span.resource, settings),
    ...requestOf(root ?? span, settings),
    ...loggedText(exception),
    exception: { values: toExceptions(event, uncaught ?? recordedMechanism(exception), settings) },
    contexts: {
      ...(span.traceId === '' ? {} : { trace: { ...idsOf(span), op } }),
      ...contextsOf(span.resource, settings),
    },
    ...(transaction === '' ? {} : { transaction }),
    ...(breadcrumbs.length === 0 ? {} : { breadcrumbs: { values: breadcrumbs } }),
    extra: {
      ...cleanedAttributes(event.attributes, settings),
      ...(span.name === '' ? {} : { 'otel.span_name': cleanName(span.name) }),
    },
  };
}

/** A record may belong to a trace without a span. Sentry requires the id of one. */
function idsOf({ traceId, spanId, parentSpanId }: Span): JsonObject {
  return {
    trace_id: traceId,
    span_id: spanId === '' ? randomBytes(8).toString('hex') : spanId,
    ...(parentSpanId === undefined ? {} : { parent_span_id: parentSpanId }),
  };
}

/** The text of the log record, besides the exception. */
function loggedText({ event: { attributes }, record }: RecordedException): JsonObject {
  const text = record?.message ?? '';
  return text === '' || text === textOf(attributes, 'exception.message')
    ? {}
    : { logentry: { formatted: cleanText(text) } };
}

/** Spans of the preload for exceptions that nothing handled. */
const UNCAUGHT: ReadonlyMap<string, string> = new Map([
  ['uncaught exception', 'onuncaughtexception'],
  ['unhandled rejection', 'onunhandledrejection'],
]);

function uncaughtMechanism({ name, kind }: Span): JsonObject | undefined {
  const type = kind === 'internal' ? UNCAUGHT.get(name) : undefined;
  return type === undefined ? undefined : { type, handled: false };
}

/** The causes first, the exception itself last, as Sentry requires. */
function toExceptions(
  { attributes }: SpanEvent,
  ownMechanism: JsonObject,
  { sources }: EventSettings,
): readonly JsonObject[] {
  const [outermost, ...causes] = parseStackTrace(textOf(attributes, 'exception.stacktrace') ?? '');
  const exception = toException({
    type: textOf(attributes, 'exception.type') ?? outermost?.type ?? 'Error',
    message: textOf(attributes, 'exception.message') ?? outermost?.message ?? '',
    frames: (outermost?.frames ?? []).map((frame) => sources.addTo(frame)),
    mechanism: { ...ownMechanism, ...(causes.length === 0 ? {} : { exception_id: 0 }) },
  });
  const chained = causes.map(({ type = 'Error', message, frames }, index) =>
    toException({
      type,
      message,
      frames: frames.map((frame) => sources.addTo(frame)),
      mechanism: { type: 'chained', source: 'cause', exception_id: index + 1, parent_id: index },
    }),
  );
  return [...chained.toReversed(), exception];
}

/** Few senders record whether the exception was handled; Sentry shows nothing if it is absent. */
function recordedMechanism({ event: { attributes }, record }: RecordedException): JsonObject {
  const escaped = attributes.get('exception.escaped');
  return {
    type: record === undefined ? 'otel.span_event' : 'otel.log_record',
    ...(typeof escaped === 'boolean' && { handled: !escaped }),
  };
}

interface ExceptionParts {
  readonly type: string;
  readonly message: string;
  readonly frames: readonly StackFrame[];
  readonly mechanism: JsonObject;
}

function toException({ type, message, frames, mechanism }: ExceptionParts): JsonObject {
  const stacktrace = frames.length === 0 ? {} : { stacktrace: { frames } };
  return { type: cleanText(type), value: cleanText(message), mechanism, ...stacktrace };
}

import { randomUUID } from 'node:crypto';
import { numberOf } from '../../../engine/otlp/any-value.ts';
import type { Span, SpanLink } from '../../../engine/otlp/span-reader.ts';
import { contextsOf, requestOf } from './event-contexts.ts';
import { cleanedAttributes, originOf, type EventSettings } from './event-origin.ts';
import { toJsonObject, toSeconds, type JsonObject } from '../../../engine/otlp/json-values.ts';
import { spanAttributes, spanOrigin } from './span-attributes.ts';
import type { Segment } from './segments.ts';
import { semanticsOf, statusOf } from './span-semantics.ts';

/** https://develop.sentry.dev/sdk/data-model/event-payloads/transaction/ */
export interface Transaction {
  readonly event_id: string;
  readonly contexts: { readonly trace: SentrySpan; readonly [name: string]: JsonObject };
  readonly [key: string]: unknown;
}

export type SentrySpan = JsonObject & { readonly span_id: string; readonly data: JsonObject };

/** The transaction of a segment, without its spans. */
export function toTransaction({ root, parentAlreadySent }: Segment, settings: EventSettings): Transaction {
  const { name, source } = semanticsOf(root);
  const httpStatus = numberOf(root.attributes, 'http.response.status_code', 'http.status_code');
  return {
    type: 'transaction',
    event_id: newEventId(),
    transaction: name === '' ? '<unlabeled transaction>' : name,
    transaction_info: { source },
    ...timesOf(root),
    ...originOf(root.resource, settings),
    ...requestOf(root, settings),
    contexts: {
      trace: toTraceContext(root, parentAlreadySent, settings),
      ...contextsOf(root.resource, settings),
      ...(httpStatus === undefined ? {} : { response: { status_code: httpStatus } }),
    },
  };
}

/** The spans of a transaction, in the order of their start. */
export function* transactionSpans({ children }: Segment, settings: EventSettings): Generator<SentrySpan> {
  for (const child of children.toSorted(byStart)) yield toSentrySpan(child, settings);
}

/** 32 hexadecimal digits. */
export function newEventId(): string {
  return randomUUID().replaceAll('-', '');
}

function toTraceContext(root: Span, parentAlreadySent: boolean, settings: EventSettings): SentrySpan {
  const { start_timestamp: _start, timestamp: _end, data, ...context } = toSentrySpan(root, settings);
  return parentAlreadySent
    ? { ...context, data: { ...data, 'sentry.parent_span_already_sent': true } }
    : { ...context, data };
}

function toSentrySpan(span: Span, settings: EventSettings): SentrySpan & ReturnType<typeof timesOf> {
  const semantics = semanticsOf(span);
  const { op, description } = semantics;
  return {
    trace_id: span.traceId,
    span_id: span.spanId,
    ...(span.parentSpanId === undefined ? {} : { parent_span_id: span.parentSpanId }),
    op,
    description,
    status: statusOf(span),
    origin: spanOrigin(span),
    ...timesOf(span),
    ...(span.links.length === 0 ? {} : { links: span.links.map((link) => toLink(link, settings)) }),
    data: { ...toJsonObject(spanAttributes(span, semantics, settings)), 'otel.kind': span.kind.toUpperCase() },
  };
}

/** Sentry refuses events that end before they start. They occur when a clock is set back. */
function timesOf(span: Span): { readonly start_timestamp: number; readonly timestamp: number } {
  const start = toSeconds(span.startTimeUnixNano);
  return { start_timestamp: start, timestamp: Math.max(start, toSeconds(span.endTimeUnixNano)) };
}

function toLink({ traceId, spanId, isSampled, attributes }: SpanLink, settings: EventSettings): JsonObject {
  const sampled = isSampled === undefined ? {} : { sampled: isSampled };
  return { trace_id: traceId, span_id: spanId, ...sampled, attributes: cleanedAttributes(attributes, settings) };
}

function byStart(a: Span, b: Span): number {
  return a.startTimeUnixNano < b.startTimeUnixNano ? -1 : Number(a.startTimeUnixNano > b.startTimeUnixNano);
}

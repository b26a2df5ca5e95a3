import { randomUUID } from 'node:crypto';
import { numberOf } from '../../../engine/otlp/any-value.ts';
import type { Span, SpanLink } from '../../../engine/otlp/span-reader.ts';
import { originOf, type OriginOverrides } from './event-origin.ts';
import { toJsonObject, toSeconds, type JsonObject } from './json-values.ts';
import type { Segment } from './segments.ts';
import { semanticsOf, statusOf } from './span-semantics.ts';

/** https://develop.sentry.dev/sdk/data-model/event-payloads/transaction/ */
export interface Transaction {
  readonly event_id: string;
  readonly spans: readonly SentrySpan[];
  readonly contexts: { readonly trace: SentrySpan; readonly [name: string]: JsonObject };
  readonly [key: string]: unknown;
}

export type SentrySpan = JsonObject & { readonly span_id: string; readonly data: JsonObject };

const ORIGIN = 'auto.otlp';

export function toTransaction({ root, children, parentAlreadySent }: Segment, overrides: OriginOverrides): Transaction {
  const { description, source } = semanticsOf(root);
  const httpStatus = numberOf(root.attributes, 'http.response.status_code', 'http.status_code');
  return {
    type: 'transaction',
    event_id: newEventId(),
    transaction: description === '' ? '<unlabeled transaction>' : description,
    transaction_info: { source },
    ...timesOf(root),
    ...originOf(root.resource, overrides),
    contexts: {
      trace: toTraceContext(root, parentAlreadySent),
      otel: { resource: toJsonObject(root.resource) },
      ...(httpStatus === undefined ? {} : { response: { status_code: httpStatus } }),
    },
    spans: children.toSorted(byStart).map(toSentrySpan),
  };
}

/** 32 hexadecimal digits. */
export function newEventId(): string {
  return randomUUID().replaceAll('-', '');
}

function toTraceContext(root: Span, parentAlreadySent: boolean): SentrySpan {
  const { start_timestamp: _start, timestamp: _end, data, ...context } = toSentrySpan(root);
  return parentAlreadySent
    ? { ...context, data: { ...data, 'sentry.parent_span_already_sent': true } }
    : { ...context, data };
}

function toSentrySpan(span: Span): SentrySpan & ReturnType<typeof timesOf> {
  const { op, description } = semanticsOf(span);
  return {
    trace_id: span.traceId,
    span_id: span.spanId,
    ...(span.parentSpanId === undefined ? {} : { parent_span_id: span.parentSpanId }),
    op,
    description,
    status: statusOf(span),
    origin: ORIGIN,
    ...timesOf(span),
    ...(span.links.length === 0 ? {} : { links: span.links.map(toLink) }),
    data: {
      ...toJsonObject(span.attributes),
      'sentry.origin': ORIGIN,
      'sentry.op': op,
      'otel.kind': span.kind.toUpperCase(),
    },
  };
}

/** Sentry refuses events that end before they start. They occur when a clock is set back. */
function timesOf(span: Span): { readonly start_timestamp: number; readonly timestamp: number } {
  const start = toSeconds(span.startTimeUnixNano);
  return { start_timestamp: start, timestamp: Math.max(start, toSeconds(span.endTimeUnixNano)) };
}

function toLink({ traceId, spanId, attributes }: SpanLink): JsonObject {
  return { trace_id: traceId, span_id: spanId, attributes: toJsonObject(attributes) };
}

function byStart(a: Span, b: Span): number {
  return a.startTimeUnixNano < b.startTimeUnixNano ? -1 : Number(a.startTimeUnixNano > b.startTimeUnixNano);
}
